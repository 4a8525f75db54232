//! What stands at the top of the project, and that nothing which soaks is forgotten.

use crate::workbench::*;
use std::collections::BTreeSet;
use std::fs;

/// What a reader finds, and what tools look for there.
const TOP_LEVEL: [&str; 17] = [
    ".cargo",
    ".ci",
    ".devcontainer",
    ".gitattributes",
    ".github",
    ".gitignore",
    ".rustfmt.toml",
    ".vscode",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "environment.yml",
    "helpers",
    "notebooks",
    "xtask",
];
/// What commands and tools make there, and nobody commits.
const MADE: [&str; 5] = [
    ".git",
    ".ipynb_checkpoints",
    ".ruff_cache",
    ".venv",
    "target",
];

#[test]
fn nothing_else_stands_at_the_top() {
    let entries = fs::read_dir(root()).unwrap();
    let names: BTreeSet<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !MADE.contains(&name.as_str()))
        .collect();
    assert_eq!(names, TOP_LEVEL.map(String::from).into());
}

/// CI runs the ignored tests by these names, a group each time.
#[test]
fn every_ignored_test_is_in_a_group_of_cis() {
    let script = fs::read_to_string(root().join(".ci/run")).unwrap();
    let prefix = "'--package xtask --test all -- --ignored ";
    let groups = script
        .lines()
        .filter_map(|line| line.trim().strip_prefix(prefix));
    let groups: BTreeSet<&str> = groups
        .flat_map(|names| names.trim_end_matches('\'').split(' '))
        .collect();
    for entry in fs::read_dir(root().join("xtask/tests/all")).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap();
        let soaks = fs::read_to_string(&path).is_ok_and(|text| text.contains("\n#[ignore"));
        assert!(!soaks || groups.contains(module), "{module} is in no group");
    }
}
