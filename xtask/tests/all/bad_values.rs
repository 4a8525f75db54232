//! Every parameter of every notebook with values that make no sense: each is refused in one sentence, or works.

use crate::parameter_cells::{Parameter, Parts, parts};
use crate::session::Session;
use crate::workbench::{has_tag, text, xtask};
use std::collections::HashSet;
use std::env;
use syn::spanned::Spanned;

/// Seconds that a cell may take with small values for all parameters but one.
const LIMIT: f64 = 60.0;

/// Cells in which each value but the most absurd is tried, by turns; more with `CELLS=100 cargo test --test bad_values`.
const CELLS: usize = 2;

/// Values of another type, which nothing can be done with.
fn misfits(parameter: &Parameter) -> Vec<String> {
    let element = ["-1", "1.5", "f64::NAN", "\"many\"", "100_000_000_000_000_000_000", "&[[1]]"];
    let mut values = element.map(String::from).to_vec();
    if parameter.is_list() {
        values = values.iter().map(|value| format!("&[1, {value}]")).collect();
        values.extend(["5", "[1, 2]", "\"many\""].map(String::from));
    }
    values
}

/// Values of the right type: outside the range of the comment, at its ends, or absurd; the most absurd first.
fn extremes(parameter: &Parameter) -> Vec<String> {
    let kind = parameter.kind.trim_start_matches("&[").trim_end_matches(']');
    let mut numbers = vec![format!("{kind}::MAX"), "0".into()];
    numbers.extend(parameter.least.and_then(|least| least.checked_sub(1)).map(|below| below.to_string()));
    numbers.extend(parameter.most.map(|most| (most + 1).to_string()));
    numbers.push("1_000_000_000_000_000_000".into());
    if parameter.is_list() {
        numbers = numbers.iter().map(|number| format!("&[{number}]")).collect();
        let long: Vec<u64> = (1..=1_000).collect();
        numbers.extend(["&[]".into(), "&[2, 2]".into(), "&[1, 2, 1]".into(), format!("&{long:?}")]);
    }
    let mut known = HashSet::new();
    numbers.retain(|number| known.insert(number.clone()));
    numbers
}

#[test]
fn a_value_of_another_type_is_refused_before_anything_runs() {
    let mut tried = 0;
    let mut wrong = Vec::new();
    for Parts { name, parameters, .. } in parts() {
        for parameter in &parameters {
            for value in misfits(parameter) {
                let assignment = format!("{}={value}", parameter.name);
                let outcome = xtask(&["run", &name, "-p", &assignment]);
                let begin =
                    format!("error: {name}: `{value}` does not fit {}: {}: ", parameter.name, parameter.kind);
                let sentence = outcome.stderr.starts_with(&begin) && outcome.stderr.lines().count() == 1;
                if outcome.code != Some(1) || !outcome.stdout.is_empty() || !sentence {
                    wrong.push(format!("{name}, -p {assignment}: {:?}, {}", outcome.code, outcome.stderr));
                }
                tried += 1;
            }
        }
    }
    println!("{tried} values of another type refused");
    assert!(wrong.is_empty() && tried > 0, "\n{}", wrong.join("\n"));
}

#[test]
fn a_value_that_makes_no_sense_is_refused_in_one_sentence_or_works() {
    let notebook = env::var("NOTEBOOK").unwrap_or_default();
    let turn = env::var("CELLS").map_or(CELLS, |count| count.parse().expect("CELLS is a number"));
    let mut counts = Counts::default();
    let mut wrong = Vec::new();
    for parts in parts().into_iter().filter(|parts| parts.name.starts_with(&notebook)) {
        let mut session = Session::start();
        let cells: Vec<Cell> = parts
            .rest
            .iter()
            .filter(|cell| !has_tag(cell, "raises-exception"))
            .map(|cell| Cell::read(&text(&cell["id"]), &text(&cell["source"])))
            .collect();
        let small = parts.parameters.iter().map(|parameter| parameter.line(&parameter.small()));
        let small = small.collect::<Vec<_>>().join("\n");
        let mut sources: Vec<&str> = parts.begin.iter().map(String::as_str).collect();
        sources.push(&small);
        sources.extend(cells.iter().map(|cell| cell.source.as_str()));
        for (source, said) in sources.iter().zip(session.execute_all(&sources)) {
            assert!(said.is_well(), "{}: {}: {source}", parts.name, said.complaint());
        }
        session.limit = LIMIT;
        for (place, parameter) in parts.parameters.iter().enumerate() {
            let mut affected = affected(&parameter.name, &cells);
            assert!(!affected.is_empty(), "{}: no cell depends on {}", parts.name, parameter.name);
            let misfits = misfits(parameter);
            let misfit = &misfits[place % misfits.len()];
            let mut faults = misfit_faults(&mut session, parameter, misfit, &mut counts);
            for (place, value) in extremes(parameter).iter().enumerate() {
                let cells = if place == 0 { affected.len() } else { turn.min(affected.len()) };
                let (found, refusing) =
                    try_extreme(&mut session, parameter, value, &affected[..cells], &mut counts);
                faults.extend(found);
                // What runs well with the first and most absurd value does nothing with the parameter.
                if place == 0 && !refusing.is_empty() {
                    affected = refusing;
                }
                let next = cells % affected.len();
                affected.rotate_left(next);
            }
            let said = session.execute(&parameter.line(&parameter.small()));
            assert!(said.is_well(), "{}: {}", parts.name, said.complaint());
            faults.iter().for_each(|what| println!("{}: {what}", parts.name));
            wrong.extend(faults);
        }
        println!("{}: so far {counts:?}", parts.name);
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(!notebook.is_empty() || counts.tried >= 60, "{counts:?}");
}

/// Values that were tried, and what became of them.
#[derive(Debug, Default)]
struct Counts {
    tried: usize,
    refused: usize,
    ran: usize,
}

/// What is wrong when a parameter is given a value of another type: the compiler has to refuse it.
fn misfit_faults(
    session: &mut Session,
    parameter: &Parameter,
    value: &str,
    counts: &mut Counts,
) -> Vec<String> {
    let still = format!("{} == {}", parameter.name, parameter.small());
    let said = session.execute_all(&[&parameter.line(value), &still, "1 + 1"]);
    counts.tried += 1;
    counts.refused += 1;
    let mut wrong = Vec::new();
    if said[0].error().is_empty() || said[0].end != "finished" {
        wrong.push(format!("{} = {value} is not refused: {}", parameter.name, said[0].complaint()));
    }
    if [said[1].shown(), said[2].shown()] != ["true", "2"] {
        let now = said[1].complaint() + &said[1].shown();
        wrong.push(format!("after {} = {value} the old value is not in force: {now}", parameter.name));
    }
    wrong
}

/// What is wrong with the cells that a parameter affects when it has this value, and those that refuse it.
fn try_extreme<'a>(
    session: &mut Session,
    parameter: &Parameter,
    value: &str,
    affected: &[&'a Cell],
    counts: &mut Counts,
) -> (Vec<String>, Vec<&'a Cell>) {
    let line = parameter.line(value);
    let mut sources = vec![line.as_str()];
    sources.extend(affected.iter().map(|cell| cell.source.as_str()));
    sources.push("1 + 1");
    let said = session.execute_all(&sources);
    let mut wrong = Vec::new();
    for (source, said) in sources.iter().zip(&said) {
        if said.end != "finished" || !said.error().is_empty() {
            wrong.push(format!("{} in {source}", said.complaint()));
        }
        let text = said.stream("stdout") + &said.stream("stderr") + &said.shown();
        for trace in ["panicked", "backtrace", "thread '", "Err(", "overflow"] {
            if text.contains(trace) {
                wrong.push(format!("{trace:?} stands in {text} of {source}"));
            }
        }
    }
    let refusals: String = said.iter().map(|said| said.stream("stderr")).collect();
    // A cell's refusal may be shown below the next one.
    let refuses =
        |place: usize| said[place + 1..=place + 2].iter().any(|said| !said.stream("stderr").is_empty());
    let refusing = (0..affected.len()).filter(|&place| refuses(place)).map(|place| affected[place]).collect();
    wrong.extend(refusals.lines().flat_map(|sentence| unclear(sentence, parameter, value)));
    if said.last().unwrap().shown() != "2" {
        wrong.push("the kernel does not answer".into());
    }
    counts.tried += 1;
    *(if refusals.is_empty() { &mut counts.ran } else { &mut counts.refused }) += 1;
    (wrong.iter().map(|what| format!("{} = {value}: {what}", parameter.name)).collect(), refusing)
}

/// What a sentence lacks: `cannot use COUNT: it is 0 (allowed: 1 to 5)` lacks nothing.
fn unclear(sentence: &str, parameter: &Parameter, value: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if !(sentence.starts_with("cannot ") && sentence.contains(" (allowed: ") && sentence.ends_with(')')) {
        wrong.push(format!("no sentence that says what is allowed: {sentence}"));
    }
    if !sentence.to_lowercase().contains(&parameter.name.to_lowercase()) {
        wrong.push(format!("the sentence does not name the parameter: {sentence}"));
    }
    if !given(value).iter().any(|given| sentence.contains(given)) {
        wrong.push(format!("the sentence does not say what was given: {sentence}"));
    }
    wrong
}

/// A code cell, with the items that it defines.
struct Cell {
    source: String,
    /// Of each item its name and the words of its source.
    items: Vec<(String, HashSet<String>)>,
    /// The words of the statements; none where it only defines items.
    statements: HashSet<String>,
}

impl Cell {
    fn read(id: &str, source: &str) -> Self {
        let block = format!("{{{source}\n}}");
        let parsed: syn::Block = syn::parse_str(&block).unwrap_or_else(|error| panic!("{id}: {error}"));
        let (mut items, mut statements) = (Vec::new(), HashSet::new());
        for statement in &parsed.stmts {
            let words = words(&block[statement.span().byte_range()]);
            match statement {
                syn::Stmt::Item(item) => items.push((item_name(item), words)),
                _ => statements.extend(words),
            }
        }
        Self { source: source.into(), items, statements }
    }
}

fn item_name(item: &syn::Item) -> String {
    match item {
        syn::Item::Const(item) => item.ident.to_string(),
        syn::Item::Fn(item) => item.sig.ident.to_string(),
        syn::Item::Mod(item) => item.ident.to_string(),
        syn::Item::Struct(item) => item.ident.to_string(),
        syn::Item::Trait(item) => item.ident.to_string(),
        syn::Item::Type(item) => item.ident.to_string(),
        // What an implementation needs, its type does.
        syn::Item::Impl(item) => match &*item.self_ty {
            syn::Type::Path(path) => path.path.segments.last().unwrap().ident.to_string(),
            _ => String::new(),
        },
        _ => String::new(),
    }
}

/// The names in a text; those in the text of a `println!` are among them.
fn words(source: &str) -> HashSet<String> {
    let words = source.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter(|word| !word.is_empty()).map(String::from).collect()
}

/// The cells that do something with a parameter, themselves or through an item that needs it.
fn affected<'a>(parameter: &str, cells: &'a [Cell]) -> Vec<&'a Cell> {
    let mut names = HashSet::from([parameter.to_string()]);
    loop {
        let before = names.len();
        for (name, words) in cells.iter().flat_map(|cell| &cell.items) {
            if !words.is_disjoint(&names) && !name.is_empty() {
                names.insert(name.clone());
            }
        }
        if names.len() == before {
            return cells.iter().filter(|cell| !cell.statements.is_disjoint(&names)).collect();
        }
    }
}

/// How a sentence may say what was given: a number in groups of three digits, or what is wrong with a list.
fn given(value: &str) -> Vec<String> {
    let number = |text: &str| match text.trim() {
        "u64::MAX" | "usize::MAX" => Some(u64::MAX),
        text => text.replace('_', "").parse::<u64>().ok(),
    };
    let Some(list) = value.strip_prefix('&') else {
        return number(value).map(grouped).into_iter().collect();
    };
    let elements: Vec<u64> = list.trim_matches(['[', ']']).split(',').filter_map(number).collect();
    let twice = elements.iter().enumerate().any(|(place, element)| elements[..place].contains(element));
    match elements.as_slice() {
        [] => vec!["empty".into()],
        _ if twice => vec!["twice".into()],
        elements => elements.iter().map(|&element| format!(" {}", grouped(element))).collect(),
    }
}

/// `1000000` as `1,000,000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}
