//! Boards by the model name in their device tree. Ids follow the registries: `nano`, `xavier-nx`,
//! `agx-xavier`.

use dyno_core::Board;

/// Parts of a model name (lower case) and the id; the first row of which every part occurs is
/// taken.
const BOARDS: &[(&[&str], &str)] = &[
    (&["orin nano"], "orin-nano"),
    (&["orin nx"], "orin-nx"),
    (&["agx orin"], "agx-orin"),
    (&["jetson", "orin"], "orin"),
    (&["xavier nx"], "xavier-nx"),
    (&["xavier"], "agx-xavier"),
    (&["jetson-agx"], "agx-xavier"),
    (&["jetson tx2"], "tx2"),
    (&["jetson_tx2"], "tx2"),
    (&["quill"], "tx2"),
    (&["jetson tx1"], "tx1"),
    (&["jetson nano"], "nano"),
    (&["jetson-nano"], "nano"),
    (&["raspberry pi 5"], "raspberry-pi-5"),
    (&["raspberry pi 4"], "raspberry-pi-4"),
    (&["raspberry pi compute module 4"], "raspberry-pi-cm4"),
    (&["raspberry pi 3"], "raspberry-pi-3"),
    (&["rock 5b"], "rock-5b"),
];

/// The board of a device tree's model name; `generic-<architecture>` where there is none or it is
/// not known.
pub fn board_of(model: Option<&str>, architecture: &str) -> Board {
    let lower = model.map(str::to_lowercase).unwrap_or_default();
    let row = BOARDS
        .iter()
        .find(|(parts, _)| parts.iter().all(|p| lower.contains(p)));
    let id = row.map_or_else(
        || format!("generic-{architecture}"),
        |(_, id)| (*id).to_owned(),
    );
    Board {
        id,
        model: model.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_device_trees() {
        let cases = [
            ("NVIDIA Jetson Nano Developer Kit", "nano"),
            ("NVIDIA Jetson Xavier NX Developer Kit", "xavier-nx"),
            ("Jetson-AGX", "agx-xavier"),
            ("NVIDIA Jetson AGX Xavier Developer Kit", "agx-xavier"),
            ("NVIDIA Jetson AGX Orin Developer Kit", "agx-orin"),
            ("NVIDIA Jetson Orin Nano Developer Kit", "orin-nano"),
            ("NVIDIA Orin NX Developer Kit", "orin-nx"),
            ("quill", "tx2"),
            ("Raspberry Pi 4 Model B Rev 1.4", "raspberry-pi-4"),
            ("Some Board", "generic-aarch64"),
        ];
        for (model, id) in cases {
            let board = board_of(Some(model), "aarch64");
            assert_eq!(
                (board.id.as_str(), board.model.as_deref()),
                (id, Some(model))
            );
        }
        assert_eq!(
            board_of(None, "x86_64"),
            Board {
                id: "generic-x86_64".to_owned(),
                model: None
            }
        );
    }
}
