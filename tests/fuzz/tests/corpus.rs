//! Every file of every corpus goes through its parser, in the plain test run.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

use protect_fuzz::TARGETS;

#[test]
fn every_parser_survives_its_corpus_whole_and_cut_off() {
    for target in TARGETS {
        let corpus = here().join("corpus").join(target.name);
        let files = names(&corpus);
        assert!(!files.is_empty(), "{} has no corpus", target.name);
        for file in files {
            let data = std::fs::read(corpus.join(file)).unwrap();
            (target.run)(&data);
            for end in (0..data.len()).step_by((data.len() / 16).max(1)) {
                (target.run)(&data[..end]);
            }
        }
    }
}

#[test]
fn every_parser_has_a_program_and_a_corpus_of_its_name() {
    let targets: BTreeSet<String> = TARGETS
        .iter()
        .map(|target| target.name.to_owned())
        .collect();
    let programs = names(&here().join("libfuzzer/src/bin")).into_iter();
    let programs = programs.map(|name| name.trim_end_matches(".rs").to_owned());
    assert_eq!(programs.collect::<BTreeSet<_>>(), targets);
    let manifest = std::fs::read_to_string(here().join("libfuzzer/Cargo.toml")).unwrap();
    for target in &targets {
        let listed = format!("[[bin]]\nname = \"{target}\"\n");
        assert!(
            manifest.contains(&listed),
            "{target} is not in libfuzzer/Cargo.toml"
        );
    }
    assert_eq!(names(&here().join("corpus")), targets);
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}
