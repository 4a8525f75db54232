//! Every parameter of every notebook with values that make no sense: each is refused in one sentence, or works.

mod parameter_cells;
mod session;
mod workbench;

use parameter_cells::{Parameter, Parts, parts};
use session::{Said, Session};
use std::collections::HashSet;
use std::env;
use syn::spanned::Spanned;
use workbench::{has_tag, text, xtask};

/// Seconds that a cell may take with small values for all parameters but one.
const LIMIT: f64 = 60.0;

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
    let only = env::var("ONLY").unwrap_or_default();
    let (mut tried, mut refused, mut ran) = (0, 0, 0);
    let mut wrong = Vec::new();
    for parts in parts().into_iter().filter(|parts| parts.name.starts_with(&only)) {
        let mut session = Session::start();
        let small: Vec<String> =
            parts.parameters.iter().map(|parameter| parameter.line(&parameter.small())).collect();
        let cells: Vec<Cell> = parts
            .rest
            .iter()
            .filter(|cell| !has_tag(cell, "raises-exception"))
            .map(|cell| Cell::read(&text(&cell["id"]), &text(&cell["source"])))
            .collect();
        for source in parts.begin.iter().chain([&small.join("\n")]) {
            let said = session.execute(source);
            assert!(said.is_well(), "{}: {}", parts.name, said.complaint());
        }
        session.limit = LIMIT;
        let sources: Vec<&str> = cells.iter().map(|cell| cell.source.as_str()).collect();
        for (cell, said) in cells.iter().zip(session.execute_all(&sources)) {
            assert!(said.is_well(), "{}, {}: {}", parts.name, cell.id, said.complaint());
        }
        for (parameter, small) in parts.parameters.iter().zip(&small) {
            let mut affected = affected(&parameter.name, &cells);
            assert!(!affected.is_empty(), "{}: no cell depends on {}", parts.name, parameter.name);
            // One misfit shows what the kernel makes of it; all of them were tried on the command line.
            let values = extremes(parameter).into_iter().chain(misfits(parameter).into_iter().take(3));
            for (place, value) in values.enumerate() {
                let mut complain = |what: String| {
                    wrong.push(format!("{}, {} = {value}: {what}", parts.name, parameter.name));
                };
                tried += 1;
                let said = session.execute(&parameter.line(&value));
                if !said.error().is_empty() {
                    if !misfits(parameter).contains(&value) {
                        complain(format!("the kernel does not take it: {}", said.complaint()));
                    }
                    let old = small.split_once(" = ").unwrap().1.trim_end_matches(';');
                    let in_force = session.execute(&format!("{} == {old}", parameter.name)).shown();
                    if in_force != "true" {
                        complain(format!("the old value is not in force: {in_force}"));
                    }
                    refused += 1;
                    continue;
                }
                let mut refusing = Vec::new();
                for &cell in &affected {
                    let said = session.execute(&cell.source);
                    let refusal = refusal(&said);
                    if refusal.is_some() {
                        refusing.push(cell);
                    }
                    for what in faults(&said, parameter, &value, refusal) {
                        complain(format!("{}: {what}", cell.id));
                    }
                    if env::var_os("VERBOSE").is_some() {
                        println!(
                            "  {} {value:.40} {}: {:.1} s {}",
                            parameter.name,
                            cell.id,
                            said.seconds,
                            said.stream("stderr").trim()
                        );
                    }
                }
                if refusing.is_empty() {
                    ran += 1
                } else {
                    refused += 1;
                    // What runs well with the first and most absurd value does nothing with the parameter.
                    if place == 0 {
                        affected = refusing;
                    }
                }
                if !session.is_alive() {
                    complain("the kernel does not answer".into());
                }
            }
            let said = session.execute(small);
            assert!(said.is_well(), "{}: {}", parts.name, said.complaint());
        }
        println!("{}: so far {tried} values tried, {refused} refused, {ran} ran", parts.name);
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(!only.is_empty() || tried >= 60, "only {tried} values were tried");
}

/// A code cell, with the items that it defines.
struct Cell {
    id: String,
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
        Self { id: id.into(), source: source.into(), items, statements }
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

/// The sentence on stderr, if that is all there is: `cannot use COUNT: it is 0 (allowed: 1 to 5)`.
fn refusal(said: &Said) -> Option<String> {
    let text = said.stream("stderr");
    let sentence = text.trim_end();
    let whole =
        sentence.starts_with("cannot ") && sentence.contains(" (allowed: ") && sentence.ends_with(')');
    (whole && sentence.lines().count() == 1).then(|| sentence.to_owned())
}

/// What is wrong with what a cell said when a parameter had this value.
fn faults(said: &Said, parameter: &Parameter, value: &str, refusal: Option<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    if said.end != "finished" || !said.error().is_empty() {
        wrong.push(said.complaint());
    }
    let text = said.stream("stdout") + &said.stream("stderr") + &said.shown();
    for trace in ["panicked", "backtrace", "thread '", "Err(", "Ok(", "overflow"] {
        if text.contains(trace) {
            wrong.push(format!("it says {trace:?}: {}", said.stream("stderr")));
        }
    }
    match refusal {
        Some(sentence) => {
            let name = parameter.name.to_lowercase();
            if !sentence.to_lowercase().contains(&name) {
                wrong.push(format!("the sentence does not name the parameter: {sentence}"));
            }
            if !given(value).iter().any(|given| sentence.contains(given)) {
                wrong.push(format!("the sentence does not say what was given: {sentence}"));
            }
        }
        None if said.stream("stderr").is_empty() => {}
        None => wrong.push(format!("not one clear sentence: {}", said.stream("stderr"))),
    }
    wrong
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
