//! Latency and throughput, what supports them, and what disturbed the window.

use super::{
    execution,
    record::{Names, scenario},
    trials,
};
use crate::{
    blocks::Block,
    percentile::Supported,
    table::{Cell, Column, Table},
    text::{bytes, counted, four_digits, percent, time},
};
use dyno_core::{Disturbance, Measurement, PerformanceResult};

pub(super) fn blocks(
    names: &Names,
    index: usize,
    m: &Measurement,
    p: &PerformanceResult,
    out: &mut Vec<Block>,
) {
    let mut line = format!(
        "{} in {} on {} of the samples of {}, profile {}",
        counted(p.n, "query"),
        time(p.duration_ns),
        p.library_count,
        p.sample_set,
        p.profile
    );
    if p.failed > 0 {
        let failed = counted(p.failed, "sample");
        line.extend([format!(", {failed} could not be prepared")]);
    }
    out.push(Block::Line(line));
    out.extend(arrivals(names, index, p).map(Block::Line));
    out.push(Block::Line(format!(
        "throughput: {} samples/s",
        four_digits(p.throughput_per_s)
    )));
    out.push(Block::Table(latencies(p)));
    out.push(Block::Line(support(p)));
    out.push(Block::Line(stages(p)));
    trials::blocks(p, out);
    out.push(Block::Line(match &p.disturbance {
        Some(d) => format!("disturbance of the window: {}", disturbance(d)),
        None => "disturbance of the window: the system does not say".to_owned(),
    }));
    let spread = p.window_spread.map_or_else(
        || "not judged".to_owned(),
        |s| format!("{} apart", percent(s - 1.0)),
    );
    out.push(Block::Line(format!(
        "windows of the run: {spread}; outliers: {} (kept)",
        p.outliers
    )));
    out.push(Block::Line(match p.outputs_compared {
        Some(n) => format!(
            "outputs of {} were compared with those of the accuracy run",
            counted(n, "timed query")
        ),
        None => "outputs of timed queries were compared with nothing".to_owned(),
    }));
    out.push(Block::Line(opening(p)));
    out.extend(execution::thresholds(m.threshold_set, m.thresholds.as_ref()).map(Block::Line));
}

fn arrivals(names: &Names, index: usize, p: &PerformanceResult) -> Option<String> {
    let mut parts = Vec::new();
    if p.scenario.samples_per_query != 1 {
        parts.push(format!(
            "{} a query",
            counted(p.scenario.samples_per_query.into(), "sample")
        ));
    }
    if let Some(rate) = p.scenario.rate_per_s {
        parts.push(format!("{} queries/s scheduled", four_digits(rate)));
    }
    if let Some(bound) = p.scenario.bound_ns {
        parts.push(format!("latency to be kept {}", time(bound)));
    }
    let name = scenario(names, index, p.scenario.name);
    (!parts.is_empty()).then(|| format!("{name}: {}", parts.join(", ")))
}

fn latencies(p: &PerformanceResult) -> Table {
    let mut table = Table::new([
        Column::text("latency"),
        Column::number("value"),
        Column::number("at most"),
    ]);
    let plain = |name: &str, ns: u64| [Cell::from(name), Cell::from(time(ns)), Cell::empty()];
    table.push(plain("min", p.latency_ns.min));
    table.push(plain("mean", p.latency_ns.mean));
    for percentile in &p.percentiles {
        let supported = Supported::of(p, percentile);
        table.push([
            supported.name(),
            supported.value().map_or_else(|refused| refused, time),
            // What is refused altogether says why once.
            match (supported.value(), supported.bound()) {
                (_, Ok(ns)) => time(ns),
                (Ok(_), Err(refused)) => refused,
                (Err(_), Err(_)) => "refused".to_owned(),
            },
        ]);
    }
    table.push(plain("max", p.latency_ns.max));
    table
}

/// What percentiles and bounds rest on.
fn support(p: &PerformanceResult) -> String {
    let mut text = format!(
        "percentiles: {}; at most: upper bound at {} confidence within this run, if independent",
        p.estimator,
        percent(dyno_stats::CONFIDENCE)
    );
    match p.autocorrelation {
        Some(r) => text.extend([format!("; autocorrelation {r:.2}")]),
        None => text.push_str("; autocorrelation not known"),
    }
    match p.effective_n {
        Some(n) => text.extend([format!(", effective n {n:.0}")]),
        None => text.push_str(", effective n not known"),
    }
    text
}

fn stages(p: &PerformanceResult) -> String {
    if p.stages.is_empty() {
        return "median of stages: not known".to_owned();
    }
    let stages = p.stages.iter();
    let texts: Vec<String> = stages
        .map(|s| format!("{} {}", s.name.replace('-', " "), time(s.p50_ns)))
        .collect();
    format!("median of stages: {}", texts.join(", "))
}

fn opening(p: &PerformanceResult) -> String {
    let mut text = format!(
        "model opened in {}, first query {}",
        time(p.load_ns),
        time(p.first_ns)
    );
    if let Some(peak) = p.memory_bytes.peak {
        text.extend([format!(", peak memory {}", bytes(peak))]);
    }
    if let Some(steady) = p.memory_bytes.steady {
        text.extend([format!(", at the end {}", bytes(steady))]);
    }
    if let Some(energy) = p.energy_j {
        text.extend([format!(", {} J a sample", four_digits(energy))]);
    }
    if !p.processes.is_empty() {
        let medians: Vec<String> = p.processes.iter().map(|r| time(r.p50_ns)).collect();
        text.extend([format!(
            "; {}, medians {}",
            counted(p.processes.len() as u64, "process"),
            medians.join(", ")
        )]);
    }
    text
}

/// What took cores, clock or coolness from the measurement.
fn disturbance(d: &Disturbance) -> String {
    let mut parts = Vec::new();
    if let Some(share) = d.run_delay_share {
        parts.push(format!("run-delay {}", percent(share)));
    }
    if let Some(n) = d.involuntary_switches {
        parts.push(counted(n, "involuntary switch"));
    }
    if let Some(share) = d.steal_share {
        parts.push(format!("steal {}", percent(share)));
    }
    if let Some(share) = d.foreign_cpu_share {
        parts.push(format!("other processes {} of all cores", percent(share)));
    }
    let hertz = |hz: u64| format!("{} GHz", four_digits(hz as f64 / 1e9));
    parts.extend(from_to(
        "clock",
        d.clock_start_hz.map(hertz),
        d.clock_end_hz.map(hertz),
    ));
    let degrees = |m: i64| format!("{:.1} °C", m as f64 / 1e3);
    parts.extend(from_to(
        "temperature",
        d.temperature_start_millicelsius.map(degrees),
        d.temperature_end_millicelsius.map(degrees),
    ));
    if parts.is_empty() {
        "nothing was measured".to_owned()
    } else {
        parts.join(", ")
    }
}

fn from_to(name: &str, start: Option<String>, end: Option<String>) -> Option<String> {
    match (start, end) {
        (Some(start), Some(end)) => Some(format!("{name} {start} to {end}")),
        (Some(start), None) => Some(format!("{name} {start} at the start")),
        (None, Some(end)) => Some(format!("{name} {end} at the end")),
        (None, None) => None,
    }
}

/// Sensors by name, as they name their units.
pub(super) fn sensors(m: &Measurement) -> Option<String> {
    let sensors = m.sensors.iter().map(|s| {
        let of = |v: Option<f64>| v.map(four_digits);
        from_to(&s.name, of(s.start), of(s.end)).unwrap_or_else(|| format!("{} not read", s.name))
    });
    let sensors: Vec<String> = sensors.collect();
    (!sensors.is_empty()).then(|| format!("sensors: {}", sensors.join(", ")))
}
