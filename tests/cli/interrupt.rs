use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::harness::Place;

/// A signal in the middle of a conversion leaves nothing behind.
#[test]
fn signals_clean_up() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let place = Place::new();
        // Large enough that the conversion is under way when the signal comes.
        let fill = "version: 1\nunmatched: drop\nfill:\n  - {leaf: big, shape: [16384, 65536], with: ones}\n";
        place.write("rules.yaml", fill);
        let args = "convert testdata/conv3/model.ckpt --map rules.yaml -o new/ckpt --no-sync";
        let mut child =
            place.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        while place.names("new").is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(30), "the conversion never began");
            std::thread::sleep(Duration::from_millis(5));
        }
        let kill = std::process::Command::new("kill")
            .args([format!("-{signal}"), child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(code), "{signal}");
        assert!(!place.path("new").exists(), "{signal}: {:?}", place.names("new"));
    }
}
