//! How far a clone or fetch has come, for people who wait for it.

use gix::progress::{Count, Id, MessageLevel, NestedProgress, Progress as GixProgress, Step, StepShared, Unit};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes that a server may say before it sends the first object: what it can do, its refs, and what
/// of ours it has. gix keeps all of that in memory. A ref is some 70, so these are more than
/// 400,000 branches and tags.
const MOST_SAID: u64 = 32 << 20;

/// How far a running clone or fetch has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done, in words: `connecting`, `receiving objects` …
    pub phase: &'static str,
    /// Objects (or steps) done in this phase.
    pub done: u64,
    /// Objects in all, where known.
    pub total: Option<u64>,
}

/// gix's ids of the two steps that take long (`gix_pack::index::write::ProgressId`), with what they
/// are for a reader.
const PHASES: [(Id, &str); 2] = [(RECEIVING, "receiving objects"), (*b"IWRO", "resolving deltas")];
/// The first of them: what comes now is written to the disk.
const RECEIVING: Id = *b"IWIO";

/// What one synchronisation is doing now; written by gix's threads, read by the page.
#[derive(Default)]
pub(super) struct Meter {
    current: Mutex<Option<Current>>,
    /// Nobody waits for it any more.
    called_off: AtomicBool,
    /// Bytes that the server said before it sent an object.
    said: AtomicU64,
    /// It is sending objects.
    sends: AtomicBool,
    /// Bytes that came since then.
    received: AtomicU64,
    /// No more of them are to come; 0: as many as there are.
    most: AtomicU64,
}

struct Current {
    phase: &'static str,
    done: StepShared,
    total: Option<Step>,
}

impl Meter {
    /// Starts a phase that is not counted.
    pub(super) fn phase(&self, phase: &'static str) {
        self.publish(Current { phase, done: StepShared::default(), total: None });
    }

    /// Starts a conversation with the server.
    pub(super) fn connecting(&self) {
        self.said.store(0, Ordering::Relaxed);
        self.sends.store(false, Ordering::Relaxed);
        self.phase("connecting");
    }

    /// Has a server that sends more than so many bytes of objects left.
    pub(super) fn receive_at_most(&self, bytes: u64) {
        self.most.store(bytes, Ordering::Relaxed);
    }

    /// Bytes of objects that came so far, from a server that is not this machine.
    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Notes bytes that the server sent.
    pub(super) fn hear(&self, bytes: usize) {
        let count = if self.sends.load(Ordering::Relaxed) { &self.received } else { &self.said };
        count.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// # Errors
    /// Nobody waits for it any more, or the server sent more than is listened to.
    pub(super) fn listens(&self) -> io::Result<()> {
        if self.is_called_off() {
            return Err(io::Error::other("it was called off"));
        }
        if self.said.load(Ordering::Relaxed) > MOST_SAID {
            let most = MOST_SAID >> 20;
            return Err(io::Error::other(format!("it said more than {most} MiB of what it has, and sent none of it")));
        }
        let most = self.most.load(Ordering::Relaxed);
        if most > 0 && self.received() > most {
            return Err(io::Error::other(format!("it sent more than the {most} bytes that may be taken")));
        }
        Ok(())
    }

    /// What to show, if anything was begun.
    pub(super) fn read(&self) -> Option<Progress> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().map(|current| Progress {
            phase: current.phase,
            done: current.done.load(Ordering::Relaxed) as u64,
            total: current.total.map(|total| total as u64),
        })
    }

    /// Has it end as soon as it can.
    pub(super) fn call_off(&self) {
        self.called_off.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_called_off(&self) -> bool {
        self.called_off.load(Ordering::SeqCst)
    }

    /// For gix to look at between two reads.
    pub(super) fn called_off(&self) -> &AtomicBool {
        &self.called_off
    }

    fn publish(&self, current: Current) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(current);
    }
}

/// One of gix's tasks, which reports to the meter if it is one that a reader is told of.
pub(super) struct Watch {
    meter: Arc<Meter>,
    id: Id,
    done: StepShared,
}

impl Watch {
    /// The root of a synchronisation's tasks.
    pub(super) fn root(meter: &Arc<Meter>) -> Self {
        Self { meter: Arc::clone(meter), id: gix::progress::UNKNOWN, done: StepShared::default() }
    }
}

impl Count for Watch {
    fn set(&self, step: Step) {
        self.done.store(step, Ordering::Relaxed);
    }
    fn step(&self) -> Step {
        self.done.load(Ordering::Relaxed)
    }
    fn inc_by(&self, step: Step) {
        self.done.fetch_add(step, Ordering::Relaxed);
    }
    fn counter(&self) -> StepShared {
        Arc::clone(&self.done)
    }
}

impl GixProgress for Watch {
    fn init(&mut self, max: Option<Step>, _unit: Option<Unit>) {
        if let Some((_, phase)) = PHASES.iter().find(|(id, _)| *id == self.id) {
            if self.id == RECEIVING {
                self.meter.sends.store(true, Ordering::Relaxed);
            }
            self.meter.publish(Current { phase, done: Arc::clone(&self.done), total: max });
        }
    }
    fn set_name(&mut self, _name: String) {}
    fn name(&self) -> Option<String> {
        None
    }
    fn id(&self) -> Id {
        self.id
    }
    fn message(&self, _level: MessageLevel, _message: String) {}
}

impl NestedProgress for Watch {
    type SubProgress = Self;

    fn add_child(&mut self, name: impl Into<String>) -> Self {
        self.add_child_with_id(name, gix::progress::UNKNOWN)
    }

    fn add_child_with_id(&mut self, _name: impl Into<String>, id: Id) -> Self {
        Self { meter: Arc::clone(&self.meter), id, done: Arc::new(AtomicUsize::new(0)) }
    }
}
