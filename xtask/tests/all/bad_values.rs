//! Parameters with values that make no sense: each is refused in one sentence, or works.

use crate::parameter_cells::{Cell, Parameter, Parts, parts};
use crate::session::Session;

#[test]
#[ignore = "deep: every bad value of every parameter, about 15 minutes"]
fn a_value_that_makes_no_sense_is_refused_in_one_sentence_or_works() {
    for parts in &parts() {
        let mut session = Session::start(parts);
        session.run_well(
            &(parts.parameter_cell(|parameter| parameter.small(0.0)) + &parts.definitions()),
        );
        for parameter in &parts.parameters {
            let mut cells = parts.affected(&parameter.name);
            let mut tried = cells.len();
            for bad in extremes(parameter) {
                let refuse = |cell: &&Cell| refuses(&mut session, parameter, &bad, cell);
                let refusing: Vec<&Cell> = cells[..tried].iter().copied().filter(refuse).collect();
                // What runs well with the first and most absurd value does nothing with the
                // parameter; the others are tried in two cells each, by turns.
                if tried == cells.len() && !refusing.is_empty() {
                    cells = refusing;
                }
                tried = 2.min(cells.len());
                cells.rotate_left(tried);
            }
        }
    }
}

/// The most absurd value of each parameter in one cell, the last of a list, and values of another
/// type, which the compiler refuses.
pub fn most_absurd_and_other_types(session: &mut Session, parts: &Parts) {
    session.run_well(&parts.parameter_cell(|parameter| parameter.small(0.0)));
    for parameter in &parts.parameters {
        let mut extremes = extremes(parameter);
        // Ends of a range are alike; what may be wrong with a list is not.
        let last = extremes.pop().filter(|_| parameter.is_list());
        for bad in [Some(extremes.remove(0)), last].into_iter().flatten() {
            // The last cell, a verdict, uses most of them. One that only names the parameter runs;
            // then another refuses.
            let mut refuse =
                |cell: &&Cell| refuses(session, parameter, &bad, cell) || parameter.most.is_none();
            let refused = parts
                .affected(&parameter.name)
                .iter()
                .rev()
                .any(&mut refuse);
            assert!(
                refused,
                "{}: no cell refuses {} = {}",
                parts.name, parameter.name, bad.0
            );
        }
    }
    let misfit = |parameter: &Parameter| if parameter.is_list() { "5" } else { "\"many\"" }.into();
    let said = session.execute(&parts.parameter_cell(misfit)).wrong();
    assert_eq!(
        said.matches("mismatched types").count(),
        parts.parameters.len(),
        "{}: {said}",
        parts.name
    );
    let same = |parameter: &Parameter| format!("{} == {}", parameter.name, parameter.small(0.0));
    let same = parts
        .parameters
        .iter()
        .map(same)
        .collect::<Vec<_>>()
        .join(" && ");
    assert_eq!(
        session.run_well(&same).shown(),
        "true",
        "{}: the old values are not in force",
        parts.name
    );
}

/// Values of the right type, the most absurd first: at the ends of the range of the comment,
/// outside it, or absurd. Each with what a refusal says was given.
fn extremes(parameter: &Parameter) -> Vec<(String, String)> {
    let mut numbers = vec![u64::MAX, 0];
    numbers.extend(
        parameter
            .least
            .filter(|least| *least > 1)
            .map(|least| least - 1),
    );
    numbers.extend(parameter.most.map(|most| most + 1));
    numbers.push(1_000_000_000_000_000_000);
    let mut values: Vec<_> = numbers
        .iter()
        .map(|number| (number.to_string(), number.to_string()))
        .collect();
    if parameter.is_list() {
        values
            .iter_mut()
            .for_each(|(value, _)| *value = format!("&[{value}]"));
        let (long, most) = (
            (1..=1_000).collect::<Vec<_>>(),
            parameter.most.unwrap_or_default(),
        );
        values.push((format!("&{long:?}"), (most + 1).to_string()));
        let threads = [("&[2, 2]", "twice"), ("&[1, 2, 1]", "twice")];
        let schedule = [
            ("&[]", "empty"),
            ("&[0, 0, 0, 1]", "steps of thread 0: 3 of thread 1: 1"),
        ];
        let lists = if parameter.is_open() {
            threads
        } else {
            schedule
        };
        values.extend(lists.map(|(value, given)| (value.into(), given.into())));
    }
    values
}

/// Whether a cell refuses a value, as in `cannot use COUNT: it is 0 (allowed: 1 to 5)`; if not, it
/// runs.
fn refuses(
    session: &mut Session,
    parameter: &Parameter,
    bad: &(String, String),
    cell: &Cell,
) -> bool {
    let what = format!("{} = {:.60} in {}", parameter.name, bad.0, cell.id);
    session.doing.clone_from(&what);
    let said = session.execute(&format!("{}\n{}", parameter.line(&bad.0), cell.source));
    let small = parameter.line(&parameter.small(0.0));
    let next = session.execute(&format!("{small}\n1 + 1"));
    let error = said.error() + &next.error();
    assert!(
        error.is_empty() && next.shown() == "2",
        "{what}: the kernel does not answer: {error}"
    );
    let stdout = said.stream("stdout");
    let stderr = said.stream("stderr");
    let sentence = stderr.trim_end();
    let text = stdout.clone() + sentence + &said.shown();
    for trace in ["panicked", "backtrace", "thread '", "Err(", "overflow"] {
        assert!(!text.contains(trace), "{what}: {trace:?} stands in {text}");
    }
    if sentence.is_empty() {
        // A cell that can do without what is refused says so and runs on.
        return stdout.contains(" (allowed: ");
    }
    let tells = sentence.starts_with("cannot ")
        && sentence.contains(" (allowed: ")
        && sentence.ends_with(')');
    let names = sentence
        .to_lowercase()
        .contains(&parameter.name.to_lowercase());
    let says = sentence.replace(',', "").contains(&bad.1) && sentence.lines().count() == 1;
    assert!(
        tells && names && says,
        "{what}: no clear sentence: {sentence}"
    );
    true
}
