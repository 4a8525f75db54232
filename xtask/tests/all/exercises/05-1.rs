//// solved
#[derive(Default)]
struct Ticket {
    next: AtomicU64,
    serving: AtomicU64,
    state: parking_lot::Mutex<State>,
}
impl Lock for Ticket {
    fn with<T>(&self, section: impl FnOnce(&mut State) -> T) -> T {
        let number = self.next.fetch_add(1, Relaxed);
        while self.serving.load(Acquire) != number {
            std::thread::yield_now();
        }
        let result = section(&mut self.state.lock());
        self.serving.store(number + 1, Release);
        result
    }
}
//// wrong: numbers are drawn and nobody looks at them
#[derive(Default)]
struct Ticket {
    next: AtomicU64,
    serving: AtomicU64,
    state: parking_lot::Mutex<State>,
}
impl Lock for Ticket {
    fn with<T>(&self, section: impl FnOnce(&mut State) -> T) -> T {
        let number = self.next.fetch_add(1, Relaxed);
        let _ = self.serving.load(Acquire);
        let result = section(&mut self.state.lock());
        self.serving.store(number + 1, Release);
        result
    }
}
//// wrong: the number is drawn when the lock is held already
#[derive(Default)]
struct Ticket {
    next: AtomicU64,
    serving: AtomicU64,
    state: parking_lot::Mutex<State>,
}
impl Lock for Ticket {
    fn with<T>(&self, section: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock();
        let number = self.next.fetch_add(1, Relaxed);
        while self.serving.load(Acquire) != number {
            std::thread::yield_now();
        }
        let result = section(&mut state);
        self.serving.store(number + 1, Release);
        result
    }
}
//// wrong: the turns are in order, and the section gets a state of its own
#[derive(Default)]
struct Ticket {
    next: AtomicU64,
    serving: AtomicU64,
    state: parking_lot::Mutex<State>,
}
impl Lock for Ticket {
    fn with<T>(&self, section: impl FnOnce(&mut State) -> T) -> T {
        let number = self.next.fetch_add(1, Relaxed);
        while self.serving.load(Acquire) != number {
            std::thread::yield_now();
        }
        let result = section(&mut State::default());
        self.serving.store(number + 1, Release);
        result
    }
}
