//! The constants of the notebooks' parameter cells, with the range that the comment of each states.

use crate::workbench::{code_cells, has_tag, name, notebooks, read, text};
use serde_json::Value;

/// A line `const NAME: KIND = VALUE; // what it is, LEAST to MOST`.
#[derive(Debug, Clone)]
pub struct Parameter {
    pub name: String,
    pub kind: String,
    pub value: String,
    /// The least that the comment allows; of a list, for each element.
    pub least: Option<u64>,
    /// The most that the comment allows.
    pub most: Option<u64>,
}

impl Parameter {
    /// The line with another value, without the comment.
    pub fn line(&self, value: &str) -> String {
        format!("const {}: {} = {value};", self.name, self.kind)
    }

    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        self.kind.starts_with('&')
    }

    /// A value between the least and the one of the notebook, nearer to the least: seconds instead of minutes.
    pub fn small(&self) -> String {
        if self.is_list() {
            return "&[1, 2]".into();
        }
        self.between_least_and_value(0.5).to_string()
    }

    /// The least at `share` 0, the value of the notebook at 1, between them by the logarithm.
    pub fn between_least_and_value(&self, share: f64) -> u64 {
        let value = number(&self.value).unwrap_or_else(|| panic!("{} is no number", self.value)) as f64;
        let least = self.least.unwrap_or(0).max(1) as f64;
        (least * (value / least).powf(share)) as u64
    }
}

/// A notebook, cut at its parameter cell.
pub struct Parts {
    pub name: String,
    pub notebook: Value,
    /// The sources of the code cells up to the one with the parameters, which is the last.
    pub begin: Vec<String>,
    pub parameters: Vec<Parameter>,
    /// The code cells after it.
    pub rest: Vec<Value>,
}

/// All notebooks in their parts.
pub fn parts() -> Vec<Parts> {
    notebooks()
        .iter()
        .map(|path| {
            let (name, notebook) = (name(path), read(path));
            let cells: Vec<Value> = code_cells(&notebook).into_iter().cloned().collect();
            let place = cells.iter().position(|cell| has_tag(cell, "parameters"));
            let (begin, rest) =
                cells.split_at(1 + place.unwrap_or_else(|| panic!("{name} has no parameters")));
            let begin: Vec<String> = begin.iter().map(|cell| text(&cell["source"])).collect();
            let parameters = parse(begin.last().unwrap());
            Parts { name, begin, parameters, rest: rest.to_vec(), notebook }
        })
        .collect()
}

/// The parameters of a cell.
pub fn parse(cell: &str) -> Vec<Parameter> {
    let parameter = |line: &str| {
        let (name, rest) = line.strip_prefix("const ")?.split_once(": ")?;
        let (kind, rest) = rest.split_once(" = ")?;
        let (value, comment) = rest.split_once("; // ")?;
        let (least, most) = range(comment);
        let [name, kind, value] = [name, kind, value].map(String::from);
        Some(Parameter { name, kind, value, least, most })
    };
    let parameters =
        cell.lines().map(|line| parameter(line).unwrap_or_else(|| panic!("not a parameter: {line}")));
    parameters.collect()
}

/// The range at the end of a comment: `5 to 1,000`, `10,000 or more`, or none.
fn range(comment: &str) -> (Option<u64>, Option<u64>) {
    match comment.split(' ').collect::<Vec<_>>().as_slice() {
        [.., least, "to", most] => (number(least), number(most)),
        [.., least, "or", "more"] => (number(least), None),
        _ => (None, None),
    }
}

fn number(text: &str) -> Option<u64> {
    text.replace([',', '_'], "").parse().ok()
}

#[test]
fn parameters_are_read_with_their_range() {
    let cell = "const A: &[usize] = &[1, 2]; // threads, each 1 to 256\nconst B: u64 = 10_000; // tasks, 1,000 or more\nconst C: u64 = 1; // a seed";
    let read = parse(cell);
    assert_eq!([read[0].least, read[0].most], [Some(1), Some(256)]);
    assert_eq!([read[1].least, read[1].most], [Some(1_000), None]);
    assert_eq!([read[2].least, read[2].most], [None, None]);
    assert_eq!(read[0].line("&[]"), "const A: &[usize] = &[];");
    assert_eq!((read[1].small().as_str(), read[1].between_least_and_value(1.0)), ("3162", 10_000));
}
