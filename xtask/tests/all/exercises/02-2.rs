//// solved
const CARRIED: u64 = 16;
//// wrong: as many as the committed cell
const CARRIED: u64 = 1;
//// wrong: a message costs more than two locks
const CARRIED: u64 = 2;
//// wrong: more than are allowed
const CARRIED: u64 = 1_000;
