//! Listings: one table in four forms.

use crate::table::{Cell, Column, Listing, Table};

fn table() -> Table {
    let mut table = Table::new([
        Column::text("name"),
        Column::text("what it is"),
        Column::number("size").key("size_bytes"),
        Column::text("built in"),
    ]);
    table.push([
        Cell::from("yolox_nano"),
        Cell::from("a detector | with, \"quotes\" and\nlines"),
        Cell::new("3.5 MiB", 3_700_000),
        true.into(),
    ]);
    table.push([
        Cell::from("=squeezenet"),
        Cell::from("<b>a classifier</b> of a thousand classes, the smallest that is of any use"),
        Cell::empty(),
        false.into(),
    ]);
    table
}

#[test]
fn four_forms() {
    for listing in Listing::ALL {
        let text = table().render(listing, None).replace("\r\n", "\n");
        insta::assert_snapshot!(format!("listing_{listing}"), text);
        assert_eq!(listing.to_string().parse(), Ok(listing));
    }
    let error = "jsn".parse::<Listing>().expect_err("no such form");
    assert_eq!(error.nearest.as_deref(), Some("json"));
    let values: Vec<serde_json::Value> =
        serde_json::from_str(&table().render(Listing::Json, None)).expect("JSON");
    assert_eq!(
        values[0]["what_it_is"],
        "a detector | with, \"quotes\" and\nlines"
    );
    assert_eq!(values[0]["size_bytes"], 3_700_000);
    assert_eq!(values[1]["size_bytes"], serde_json::Value::Null);
}

#[test]
fn a_table_folds_between_words_then_by_columns() {
    for width in [80, 60, 40, 10] {
        insta::assert_snapshot!(
            format!("folded_{width}"),
            table().render(Listing::Human, Some(width))
        );
    }
}

#[test]
fn tables_without_rows_or_columns_and_with_huge_cells_are_drawn() {
    let empty = Table::new([Column::text("name")]);
    assert!(empty.is_empty());
    assert_eq!(empty.render(Listing::Csv, None), "name\r\n");
    assert_eq!(empty.render(Listing::Json, None), "[]\n");
    assert!(empty.render(Listing::Human, Some(60)).contains("name"));
    for listing in Listing::ALL {
        assert!(Table::new([]).render(listing, Some(60)).ends_with('\n'));
    }
    let mut huge = Table::new([Column::text("a"), Column::text("b")]);
    let word = "x".repeat(100_000);
    huge.push([word.as_str(), "y"]);
    for width in [None, Some(60)] {
        let text = huge.render(Listing::Human, width);
        assert!(text.contains("xxx…"), "shortened, and said so");
        assert!(text.contains('y'));
    }
    assert!(huge.render(Listing::Csv, None).contains(&word));
}

#[test]
#[should_panic(expected = "one cell a column")]
fn a_row_of_another_length_is_a_mistake() {
    table().push(["too few"]);
}
