//! Parameters with values that make no sense: each is refused in one sentence, or works.

use crate::parameter_cells::{Cell, Parameter, Parts, parts};
use crate::session::Session;
use crate::workbench::progress;

#[test]
#[ignore = "deep: every bad value of every parameter, about 10 minutes"]
fn a_value_that_makes_no_sense_is_refused_in_one_sentence_or_works() {
    for parts in &parts() {
        let mut session = Session::start(parts);
        session.run_well(&parts.parameter_cell(|parameter| parameter.small(0.0)));
        session.run_well(&parts.definitions());
        let (mut refused, mut ran) = (0, 0);
        for parameter in &parts.parameters {
            let mut affected = parts.affected(&parameter.name);
            for (place, (value, given)) in extremes(parameter).iter().enumerate() {
                // What runs well with the first and most absurd value does nothing with the parameter; the others are
                // tried in two cells each, by turns.
                let cells = if place == 0 { affected.len() } else { 2.min(affected.len()) };
                let refusing = refusing(&mut session, parameter, value, given, &affected[..cells]);
                refused += refusing.len();
                ran += cells - refusing.len();
                if place == 0 && !refusing.is_empty() {
                    affected = refusing;
                }
                let next = cells % affected.len();
                affected.rotate_left(next);
            }
        }
        progress(&format!("{}: {refused} times refused, {ran} times run", parts.name));
        assert!(refused > 0);
    }
}

/// The most absurd value of each parameter in one cell, and values of another type, which the compiler refuses.
pub fn most_absurd_and_other_types(session: &mut Session, parts: &Parts) {
    session.run_well(&parts.parameter_cell(|parameter| parameter.small(0.0)));
    for parameter in &parts.parameters {
        let (value, given) = extremes(parameter).remove(0);
        // A cell that only names the parameter runs; then another refuses.
        let mut refuses = |cell| !refusing(session, parameter, &value, &given, &[cell]).is_empty();
        let refused =
            parts.affected(&parameter.name).into_iter().any(|cell| refuses(cell) || parameter.most.is_none());
        assert!(refused, "{}: no cell refuses {} = {value}", parts.name, parameter.name);
    }
    let misfits = parts.parameter_cell(|parameter| {
        let misfit = if parameter.is_list() { "5" } else { "\"many\"" };
        misfit.into()
    });
    let said = session.execute(&misfits);
    let refused = said.error().matches("mismatched types").count();
    assert_eq!(refused, parts.parameters.len(), "{}: {}: {misfits}", parts.name, said.complaint());
    let same =
        parts.parameters.iter().map(|parameter| format!("{} == {}", parameter.name, parameter.small(0.0)));
    let still = session.run_well(&same.collect::<Vec<_>>().join(" && "));
    assert_eq!(still.shown(), "true", "{}: the old values are not in force", parts.name);
}

/// Values of the right type, the most absurd first: at the ends of the range of the comment, outside it, or absurd. Each
/// with what a refusal says was given.
fn extremes(parameter: &Parameter) -> Vec<(String, String)> {
    let mut numbers = vec![u64::MAX, 0];
    numbers.extend(parameter.least.and_then(|least| least.checked_sub(1)).filter(|below| *below > 0));
    numbers.extend(parameter.most.map(|most| most + 1));
    numbers.push(1_000_000_000_000_000_000);
    let number = |number: &u64| (number.to_string(), number.to_string());
    let mut values: Vec<(String, String)> = numbers.iter().map(number).collect();
    if parameter.is_list() {
        values.iter_mut().for_each(|(value, _)| *value = format!("&[{value}]"));
        let long = (
            format!("&{:?}", (1..=1_000).collect::<Vec<_>>()),
            (parameter.most.unwrap_or(0) + 1).to_string(),
        );
        let [empty, twice] = ["empty", "twice"].map(String::from);
        values.extend([
            ("&[]".into(), empty),
            ("&[2, 2]".into(), twice.clone()),
            ("&[1, 2, 1]".into(), twice),
            long,
        ]);
    }
    values
}

/// The cells that refuse a value. They say so as in `cannot use COUNT: it is 0 (allowed: 1 to 5)`, the others run, and
/// the kernel still answers.
fn refusing<'a>(
    session: &mut Session,
    parameter: &Parameter,
    value: &str,
    given: &str,
    cells: &[&'a Cell],
) -> Vec<&'a Cell> {
    let (line, least) = (parameter.line(value), parameter.line(&parameter.small(0.0)));
    let mut refusing = Vec::new();
    for cell in cells {
        let what = format!("{} = {value:.60} in {}", parameter.name, cell.id);
        session.doing.clone_from(&what);
        let said = session.execute(&format!("{line}\n{}", cell.source));
        // Stderr is one stream: what comes before this sign is the cell's.
        let next = session.interrupt(&format!("{least}\neprintln!(\"end\"); 1 + 1"), "end", &[]);
        for said in [&said, &next] {
            assert!(said.end == "finished" && said.error().is_empty(), "{what}: {}", said.complaint());
        }
        assert_eq!(next.shown(), "2", "{what}: the kernel does not answer");
        let stderr = said.stream("stderr") + &next.stream("stderr");
        let (sentence, stdout) = (stderr.strip_suffix("end\n").unwrap().trim_end(), said.stream("stdout"));
        let text = stdout.clone() + sentence + &said.shown();
        for trace in ["panicked", "backtrace", "thread '", "Err(", "overflow"] {
            assert!(!text.contains(trace), "{what}: {trace:?} stands in {text}");
        }
        if !sentence.is_empty() {
            let clear = sentence.starts_with("cannot ")
                && sentence.contains(" (allowed: ")
                && sentence.ends_with(')');
            let names = sentence.to_lowercase().contains(&parameter.name.to_lowercase());
            let says = sentence.replace(',', "").contains(&format!(" {given}"));
            assert!(clear && names && says && sentence.lines().count() == 1, "{what}: not clear: {sentence}");
        }
        // A cell that can do without what is refused says so and runs on.
        if !sentence.is_empty() || stdout.contains(" (allowed: ") {
            refusing.push(*cell);
        }
    }
    refusing
}
