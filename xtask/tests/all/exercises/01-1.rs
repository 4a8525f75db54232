//// solved
fn loses(schedule: &[usize]) -> bool {
    schedule[0] != schedule[1]
}
//// wrong: any change of threads in the middle is taken for a loss
fn loses(schedule: &[usize]) -> bool {
    schedule[1] != schedule[2]
}
//// wrong: only threads that alternate are taken for a loss
fn loses(schedule: &[usize]) -> bool {
    schedule.windows(2).all(|two| two[0] != two[1])
}
//// wrong: every schedule is taken for a loss
fn loses(schedule: &[usize]) -> bool {
    schedule.len() == 4
}
