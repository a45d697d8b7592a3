//! What goes wrong in a round, how it begins and how it ends.

use crate::fakes::fake_github::Fault as GitHubFault;
use crate::fakes::smtp::Mode;
use crate::ledger::{Kind, Violation, violation};
use crate::proxy::Way;
use crate::stage::{Channels, Database, Stage};
use jiff::SignedDuration;
use rand::RngExt;
use rand::rngs::StdRng;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A server that was asked to end has ended by then.
const END: Duration = Duration::from_secs(30);
/// What a disk takes for a sync on a bad day.
const SLOW_SYNC: Duration = Duration::from_millis(300);
/// How long GitHub's answer takes within which the machine is suspended for hours.
const ASLEEP_WITHIN: Duration = Duration::from_millis(2_500);
/// How far GitHub's lists are behind its issues.
const LIST_LAG: SignedDuration = SignedDuration::from_secs(10);

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Fault {
    Killed,
    AllKilled,
    Terminated,
    FullDisk,
    SlowDisk,
    DatabaseRefuses,
    DatabaseStalls,
    DatabaseVanishes,
    DatabaseSlow,
    Frozen,
    Suspended,
    ClockForward,
    ClockBack,
    MirrorDamaged,
    MirrorTruncated,
    MirrorGone,
    MailSlow,
    MailHalf,
    MailRefused,
    GithubSlow,
    GithubHalf,
    GithubDown,
    GithubLagging,
}

impl Fault {
    /// Whether it can go wrong on this stage.
    pub fn is_possible(self, kind: Database, channels: Channels) -> bool {
        match self {
            Self::AllKilled | Self::Frozen => kind == Database::Replicas,
            Self::DatabaseRefuses | Self::DatabaseStalls | Self::DatabaseVanishes | Self::DatabaseSlow => {
                kind != Database::Sqlite
            }
            Self::MailSlow
            | Self::MailHalf
            | Self::MailRefused
            | Self::GithubSlow
            | Self::GithubHalf
            | Self::GithubDown
            | Self::GithubLagging
            | Self::Suspended => channels == Channels::Services,
            Self::Killed
            | Self::Terminated
            | Self::FullDisk
            | Self::SlowDisk
            | Self::ClockForward
            | Self::ClockBack
            | Self::MirrorDamaged
            | Self::MirrorTruncated
            | Self::MirrorGone => true,
        }
    }

    /// How long it lasts, in milliseconds.
    pub fn lasts(self) -> std::ops::Range<u64> {
        match self {
            // A client of the other replica has five seconds' patience.
            Self::Frozen => 5_600..6_000,
            Self::DatabaseStalls | Self::DatabaseVanishes | Self::SlowDisk => 1_200..2_000,
            Self::Killed | Self::AllKilled | Self::Terminated => 0..150,
            Self::Suspended => 1_000..1_400,
            Self::GithubSlow => 2_200..2_600,
            // These are there before anything is sent, and as long as it takes to reach them.
            Self::MailSlow
            | Self::MailHalf
            | Self::MailRefused
            | Self::GithubHalf
            | Self::GithubDown
            | Self::GithubLagging => 900..1_500,
            _ => 300..900,
        }
    }

    /// Whether it is there before the first report of the round.
    pub fn comes_first(self) -> bool {
        matches!(
            self,
            Self::FullDisk
                | Self::MirrorDamaged
                | Self::MirrorTruncated
                | Self::MirrorGone
                | Self::ClockBack
                | Self::Suspended
                | Self::GithubSlow
        ) || self.lasts() == Self::MailSlow.lasts()
    }
}

/// Lets it go wrong. `target` is the server that it concerns.
pub async fn begin(fault: Fault, stage: &mut Stage, target: usize, rng: &mut StdRng) -> Vec<Violation> {
    let http_status = |status| GitHubFault::status(status, "the campaign");
    let server = &mut stage.servers[target];
    match fault {
        Fault::Killed => server.kill(),
        Fault::AllKilled => stage.servers.iter_mut().for_each(crate::server::Server::kill),
        Fault::Terminated => match server.terminate(END).await {
            Some(_) => {}
            None => return vec![violation(Kind::Late, 1, format!("SIGTERM did not end the server within {END:?}"))],
        },
        Fault::FullDisk => fill(&server.data),
        Fault::SlowDisk => {
            server.control.set_sync_delay(SLOW_SYNC);
            stage.postgres_control.set_sync_delay(SLOW_SYNC);
        }
        Fault::DatabaseRefuses => set_way(stage, Way::Refused),
        Fault::DatabaseStalls => set_way(stage, Way::Stalled),
        Fault::DatabaseVanishes => set_way(stage, Way::Vanished),
        Fault::DatabaseSlow => set_way(stage, Way::Slow(Duration::from_millis(40))),
        Fault::Frozen => {
            // With a slow way to the database, it is most likely within a transaction.
            set_way(stage, Way::Slow(Duration::from_millis(8)));
            tokio::time::sleep(Duration::from_millis(rng.random_range(0..60))).await;
            stage.servers[target].signal("STOP");
            set_way(stage, Way::Open);
        }
        // The answer of GitHub is still to come when the machine is suspended.
        Fault::Suspended => stage.github.fail_next("issues/create", GitHubFault::Delay(ASLEEP_WITHIN)),
        Fault::ClockForward => server.control.set_clock_off_by(SignedDuration::from_mins(rng.random_range(5..600))),
        Fault::ClockBack => server.control.set_clock_off_by(SignedDuration::from_mins(-rng.random_range(5..120))),
        Fault::MirrorDamaged => packs(&server.data).iter().for_each(|pack| overwrite_middle(pack)),
        Fault::MirrorTruncated => packs(&server.data).iter().for_each(|pack| cut_in_half(pack)),
        Fault::MirrorGone => mirrors(&server.data).iter().for_each(|mirror| _ = std::fs::remove_dir_all(mirror)),
        Fault::MailSlow => stage.smtp.set(Mode::Delay(Duration::from_millis(700))),
        Fault::MailHalf => stage.smtp.set(Mode::DropAfterAccepting),
        Fault::MailRefused => {
            stage.smtp.set(if rng.random() { Mode::Later } else { Mode::DropBeforeAccepting });
        }
        Fault::GithubSlow => {
            let slow = Duration::from_millis(rng.random_range(500..1_700));
            let how = if rng.random() { GitHubFault::Delay(slow) } else { GitHubFault::HangAfterWork(slow) };
            stage.github.fail_next("issues/create", how);
        }
        Fault::GithubHalf => {
            let how = if rng.random() { GitHubFault::DropAfterWork } else { GitHubFault::AfterWork(502) };
            stage.github.fail_next("issues/create", how);
        }
        Fault::GithubDown => {
            stage.github.fail_next("issues/create", http_status(503));
            stage.github.fail_next("issues/create", GitHubFault::Drop);
        }
        Fault::GithubLagging => {
            stage.github.set_list_lag(LIST_LAG);
            stage.github.fail_next("issues/create", GitHubFault::DropAfterWork);
        }
    }
    Vec::new()
}

/// Ends what goes wrong, and gives the longest restart that it took.
pub async fn end(fault: Fault, stage: &mut Stage, target: usize) -> (Duration, Vec<Violation>) {
    let server = &mut stage.servers[target];
    match fault {
        Fault::Killed | Fault::AllKilled | Fault::Terminated => {}
        Fault::FullDisk => _ = std::fs::remove_file(ballast(&server.data)),
        Fault::SlowDisk => {
            server.control.set_sync_delay(Duration::ZERO);
            stage.postgres_control.set_sync_delay(Duration::ZERO);
        }
        Fault::DatabaseRefuses | Fault::DatabaseStalls | Fault::DatabaseVanishes | Fault::DatabaseSlow => {
            set_way(stage, Way::Open);
        }
        Fault::Frozen => server.signal("CONT"),
        Fault::Suspended => {
            stage.clockwork.leap(SignedDuration::from_hours(3));
            tokio::time::sleep(ASLEEP_WITHIN).await;
            stage.github.take_faults();
        }
        Fault::ClockForward | Fault::ClockBack => server.control.set_clock_off_by(SignedDuration::ZERO),
        Fault::MirrorDamaged | Fault::MirrorTruncated | Fault::MirrorGone => {}
        Fault::MailSlow | Fault::MailHalf | Fault::MailRefused => stage.smtp.set(Mode::Accept),
        Fault::GithubSlow | Fault::GithubHalf | Fault::GithubDown => {
            stage.github.take_faults();
        }
        // Its lists are brought up by the world's clock.
        Fault::GithubLagging => {}
    }
    restart(stage).await
}

/// Starts what does not run; a server that ended by itself is broken.
async fn restart(stage: &mut Stage) -> (Duration, Vec<Violation>) {
    let (mut worst, mut found) = (Duration::ZERO, Vec::new());
    for server in &mut stage.servers {
        if let Some(status) = server.ended() {
            let what = format!("a server ended by itself ({status}): {}", server.last_words());
            found.push(violation(Kind::Late, 1, what));
        }
        if server.pid().is_some() {
            continue;
        }
        match server.start().await {
            Ok(took) => worst = worst.max(took),
            Err(error) => found.push(violation(Kind::Stuck, 1, error)),
        }
    }
    (worst, found)
}

fn set_way(stage: &Stage, way: Way) {
    if let Some(proxy) = &stage.proxy {
        proxy.set(way);
    }
}

fn ballast(data: &Path) -> PathBuf {
    data.join("ballast")
}

/// Takes all the room that is left, to the last byte.
fn fill(data: &Path) {
    use std::io::Write;
    let Ok(mut file) = std::fs::File::create(ballast(data)) else { return };
    let mut piece = vec![0_u8; 1 << 20];
    while !piece.is_empty() {
        if file.write_all(&piece).is_err() {
            piece.truncate(piece.len() / 4);
        }
    }
}

fn mirrors(data: &Path) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(data.join("mirrors")).into_iter().flatten().flatten();
    folders.map(|folder| folder.path()).filter(|path| path.join("objects").is_dir()).collect()
}

fn packs(data: &Path) -> Vec<PathBuf> {
    let folders = mirrors(data).into_iter().map(|mirror| mirror.join("objects/pack"));
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
    files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|it| it == "pack")).collect()
}

/// A pack to be written to; `None` where a fetch has just joined it with others.
fn opened(pack: &Path) -> Option<std::fs::File> {
    // Packs are read-only.
    let _ = std::process::Command::new("chmod").arg("u+w").arg(pack).stderr(std::process::Stdio::null()).status();
    match std::fs::File::options().read(true).write(true).open(pack) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        opened => Some(opened.unwrap()),
    }
}

fn overwrite_middle(pack: &Path) {
    let Some(file) = opened(pack) else { return };
    let length = file.metadata().unwrap().len();
    file.write_all_at(&vec![0xA5; usize::try_from(length / 2).unwrap()], length / 4).unwrap();
}

fn cut_in_half(pack: &Path) {
    let Some(file) = opened(pack) else { return };
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
}
