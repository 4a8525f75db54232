//! A lock wakes threads that were started in other cells.
//!
//! Each cell is a library of its own. Were the helper crate linked into each of them statically, each would hold a
//! copy of the queue in which parking_lot keeps its waiting threads, and a thread would wake nobody but those of its
//! own cell.

use crate::workbench::{alone, cell, code_cells, notebooks, read, text, workspace, write, xtask};
use serde_json::Value;

const HANDOVERS: usize = 1_000;

#[test]
fn threads_of_two_cells_hand_a_lock_to_each_other() {
    let _alone = alone();
    let folder = workspace();
    let notebook = folder.path().join("notebooks/lock.ipynb");
    write(&notebook, cells(&text(&code_cells(&read(&notebooks()[0]))[0]["source"])));

    let output = folder.path().join("rendered");
    let outcome = xtask(&["run", notebook.to_str().unwrap(), "--output", output.to_str().unwrap()]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let executed = read(&output.join("lock.ipynb"));
    let last = code_cells(&executed).last().unwrap()["outputs"][0].clone();
    assert_eq!(text(&last["data"]["text/plain"]), HANDOVERS.to_string());
}

fn cells(set_up: &str) -> Vec<Value> {
    let state = "use helpers::parking_lot::{Mutex, MutexGuard};
use std::sync::{Arc, atomic::{AtomicUsize, Ordering::SeqCst}};
use std::time::{Duration, Instant};
let turns = Arc::new((Mutex::new(()), AtomicUsize::new(0)));";
    // Written out in both cells: a function would be compiled in the first alone. The thread holds the lock for
    // longer than parking_lot spins, so that the other one has to sleep.
    let thread = |parity: usize| {
        format!(
            "let shared = turns.clone();
std::thread::spawn(move || loop {{
    let guard = shared.0.lock();
    let turn = shared.1.load(SeqCst);
    if turn == {HANDOVERS} {{ break }}
    if turn % 2 == {parity} {{ shared.1.store(turn + 1, SeqCst); }}
    std::thread::sleep(Duration::from_micros(100));
    MutexGuard::unlock_fair(guard);
}});"
        )
    };
    // Looks at the count without the lock, so that it does not hang where the threads do.
    let wait = format!(
        "let end = Instant::now() + Duration::from_secs(60);
while turns.1.load(SeqCst) < {HANDOVERS} && Instant::now() < end {{ std::thread::sleep(Duration::from_millis(10)); }}
if turns.1.load(SeqCst) < {HANDOVERS} {{ Err(format!(\"stuck after {{}} handovers\", turns.1.load(SeqCst)))? }}
turns.1.load(SeqCst)"
    );
    [set_up, state, &thread(0), &thread(1), &wait].map(|source| cell(source, &[])).to_vec()
}
