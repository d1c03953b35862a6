//! B4: threads that the system refuses end the run with an error.

use crate::cheats::kit::{Limits, limited, open_to_all, shapes};

const NULL: &str = "run dyno/shapes-detector --dataset coco:pictures --only accuracy --backend null --set inputs=images:f32:1x3x128x128 --set outputs=output:f32:1x336x11";

#[test]
fn refused_threads_are_an_error_and_no_wait() {
    let place = shapes(40);
    open_to_all(&place);
    let limits = Limits {
        cpu_s: Some(30),
        threads: Some(16),
        unprivileged: true,
        ..Limits::default()
    };
    for more in ["--workers 32", "--workers 2 --preparing 32"] {
        let done = limited(&place, limits, &format!("{NULL} {more}"));
        assert!(
            done.code == Some(5) && !done.stderr.contains("panicked"),
            "{more}: {:?}\n{}",
            done.code,
            done.stderr
        );
        done.says(&["thread"]);
    }
    // With as many as there are, the same run is one.
    limited(&place, limits, &format!("{NULL} --workers 2")).exits_not(5);
}
