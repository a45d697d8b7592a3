//! The time of a stage: servers, PostgreSQL and the fake GitHub share a wall clock that the
//! campaign moves on, so that leases and pauses are over as soon as nothing else is left to do.

use app::clock::Clock;
use jiff::SignedDuration;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The C library's functions that tell the time and write to disk, as `cc` takes them.
const SHIM: &str = include_str!("shim.c");
/// How often the fake GitHub's clock is brought up to the world's.
const TICK: Duration = Duration::from_millis(5);

/// Compiles the shim into this folder.
///
/// # Panics
/// Without a C compiler, which SQLite needs as well.
pub fn compile_shim(folder: &Path) -> PathBuf {
    let (source, library) = (folder.join("shim.c"), folder.join("shim.so"));
    std::fs::write(&source, SHIM).unwrap();
    let made = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).status();
    assert!(made.is_ok_and(|status| status.success()), "cc can't compile the campaign's shim");
    library
}

/// What one process is told by the shim.
pub struct Control {
    file: File,
    path: PathBuf,
    /// Beside the world's time, in nanoseconds.
    own_offset: Mutex<i64>,
    world_offset: Arc<Mutex<i64>>,
}

impl Control {
    /// The variables that let a process listen to it.
    pub fn variables(&self, shim: &Path) -> [(&'static str, String); 2] {
        [("LD_PRELOAD", shim.display().to_string()), ("CAMPAIGN_CONTROL", self.path.display().to_string())]
    }

    /// This process's wall clock is off by so much; zero: it is right again.
    pub fn set_clock_off_by(&self, by: SignedDuration) {
        *self.own_offset.lock().unwrap() = nanoseconds(by);
        self.write_offset();
    }

    /// Each sync to disk takes this much longer.
    pub fn set_sync_delay(&self, delay: Duration) {
        let delay = i64::try_from(delay.as_nanos()).unwrap();
        self.file.write_all_at(&delay.to_ne_bytes(), 8).unwrap();
    }

    fn write_offset(&self) {
        let offset = *self.world_offset.lock().unwrap() + *self.own_offset.lock().unwrap();
        self.file.write_all_at(&offset.to_ne_bytes(), 0).unwrap();
    }
}

/// The world's wall clock. Ends with its last use.
pub struct Clockwork {
    clock: Clock,
    folder: PathBuf,
    offset: Arc<Mutex<i64>>,
    controls: Mutex<Vec<Arc<Control>>>,
    ticker: tokio::task::JoinHandle<()>,
}

impl Drop for Clockwork {
    fn drop(&mut self) {
        self.ticker.abort();
    }
}

impl Clockwork {
    /// Begins at the present.
    pub fn start(folder: &Path) -> Self {
        let clock = Clock::fixed(Clock::system().now());
        let offset = Arc::new(Mutex::new(0));
        let ticker = tokio::spawn(tick(clock.clone(), Arc::clone(&offset)));
        Self { clock, folder: folder.to_owned(), offset, controls: Mutex::default(), ticker }
    }

    /// For fakes in this process.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// For a process of this name.
    pub fn control(&self, name: &str) -> Arc<Control> {
        let path = self.folder.join(format!("{name}.control"));
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
        file.set_len(16).unwrap();
        let world_offset = Arc::clone(&self.offset);
        let control = Arc::new(Control { file, path, own_offset: Mutex::new(0), world_offset });
        control.write_offset();
        self.controls.lock().unwrap().push(Arc::clone(&control));
        control
    }

    /// Now, in Unix milliseconds, as rows have it.
    pub fn now_millis(&self) -> i64 {
        Clock::system().now().as_millis() + *self.offset.lock().unwrap() / 1_000_000
    }

    /// All of the world goes on by this much at once.
    pub fn leap(&self, by: SignedDuration) {
        *self.offset.lock().unwrap() += nanoseconds(by);
        for control in self.controls.lock().unwrap().iter() {
            control.write_offset();
        }
        catch_up(&self.clock, &self.offset);
    }
}

async fn tick(clock: Clock, offset: Arc<Mutex<i64>>) {
    loop {
        catch_up(&clock, &offset);
        tokio::time::sleep(TICK).await;
    }
}

fn catch_up(clock: &Clock, offset: &Mutex<i64>) {
    // Locked until it has moved: two that see the same lag would both make up for it.
    let offset = offset.lock().unwrap();
    let world = Clock::system().now() + SignedDuration::from_nanos(*offset);
    clock.advance((world - clock.now()).max(SignedDuration::ZERO));
}

fn nanoseconds(by: SignedDuration) -> i64 {
    i64::try_from(by.as_nanos()).unwrap()
}
