//// solved
const CARRIED: u64 = 16;
//// wrong: as many as the committed cell
const CARRIED: u64 = 1;
//// wrong: fewer than are allowed
const CARRIED: u64 = 0;
//// wrong: more than are allowed
const CARRIED: u64 = 1_000;
