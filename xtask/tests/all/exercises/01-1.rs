//// solved
const LOWEST: &[usize] = &[0, 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 1];
//// wrong: turns
const LOWEST: &[usize] = &[0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1];
//// wrong: more additions by one thread than by the other
const LOWEST: &[usize] = &[0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0];
//// wrong: too short
const LOWEST: &[usize] = &[0, 1, 0, 1];
