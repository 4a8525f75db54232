//! What stands between the front end and the kernel mends.

use crate::busy::Busy;
use crate::session::Session;
use crate::workbench::{Outcome, root, tool};

fn session() -> Session {
    Session::start_in(&root().join("notebooks"))
}

/// Without the mending about every second is lost.
#[test]
fn a_refusal_is_there_before_its_cell_has_ended_on_a_busy_machine() {
    let mut session = session();
    let _busy = Busy::everywhere();
    for number in 0..20 {
        let sentence = format!("refused {number}");
        let said = session.execute(&format!("Err::<(), &str>({sentence:?})?;"));
        assert_eq!(said.stream("stderr").trim_end(), sentence);
    }
}

#[test]
fn a_last_line_without_an_end_does_not_hide_that_its_cell_has_ended() {
    let mut session = session();
    let source = "use std::io::Write;\nprint!(\"tail\"); std::io::stdout().flush()?;";
    assert_eq!(session.run_well(source).stream("stdout"), "tail");
    assert_eq!(session.run_well("1 + 1").shown(), "2");
}

#[test]
fn every_line_of_many_is_there_in_its_order() {
    let mut session = session();
    let said = session.run_well("for number in 0..50_000 { println!(\"{number}\"); }");
    let lines = said.stream("stdout");
    assert!(lines.lines().map(str::parse).eq((0..50_000_u32).map(Ok)));
}

/// An interrupted cell lets the next one run, and its text does not reach it.
#[test]
fn a_cell_that_is_interrupted_ends() {
    let mut session = session();
    let endless =
        "println!(\"begun\"); loop { std::thread::sleep(std::time::Duration::from_millis(1)) }";
    let said = session.execute_until(endless, "begun", &[0.2]);
    assert_eq!(said.stream("stdout"), "begun\n");
    assert_eq!(session.run_well("1 + 1").shown(), "2");
}

#[test]
fn a_thread_that_writes_for_ever_keeps_no_cell_from_ending() {
    let mut session = session();
    let source = "std::thread::spawn(|| loop {
    println!(\"on\");
    std::thread::sleep(std::time::Duration::from_millis(2));
});";
    session.run_well(source);
    assert_eq!(session.run_well("1 + 1").shown(), "2");
}

/// As some hubs speak to kernels; evcxr takes the files' names for those of hosts.
#[test]
fn a_front_end_that_speaks_through_files_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let script = "import subprocess, sys
from jupyter_client import KernelManager
place = sys.argv[1] + '/kernel'
manager = KernelManager(kernel_name='guard-time-weigh', transport='ipc', ip=place)
manager.start_kernel(cwd=sys.argv[2], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
client = manager.client()
client.start_channels()
client.wait_for_ready(timeout=120)
show = lambda message: print(message['content'].get('text', ''), end='')
client.execute_interactive('println!(\"heard\");', output_hook=show, timeout=120)
assert client.hb_channel.is_beating()
client.stop_channels()
manager.shutdown_kernel(now=True)";
    let mut python = tool("python");
    python.args(["-I", "-c", script]).arg(folder.path());
    let output = python.arg(root().join("notebooks")).output().unwrap();
    let outcome = Outcome::of(output);
    assert_eq!(outcome.stdout, "heard\n", "{}", outcome.stderr);
}
