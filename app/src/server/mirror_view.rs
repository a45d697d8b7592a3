//! What pages say of a repository's mirror.

use crate::services::repositories::why_unnamed;
use domain::timestamp::Timestamp;
use mirror::Mirrors;
use render::views::MirrorView;
use render::{thousands, when};
use store::repositories::RepositoryRow;

/// How the mirror of a repository is.
pub(super) fn mirror_view(mirrors: &Mirrors, row: &RepositoryRow) -> MirrorView {
    let progress = mirrors.progress(row.repository.id);
    let fetched = (row.fetched_at > Timestamp::UNIX_EPOCH).then(|| when(row.fetched_at));
    let trouble = why_unnamed(row).or_else(|| row.fetch_error.clone());
    match (trouble, fetched) {
        (Some(error), last_good) => MirrorView::Failed { error, last_good },
        (None, Some(at)) => {
            MirrorView::Fetched { at, head: row.repository.head.as_ref().map(|head| head.short().to_owned()) }
        }
        (None, None) => MirrorView::Cloning {
            progress: progress.map(|progress| match progress.total {
                Some(total) => format!("{}: {} of {}", progress.phase, thousands(progress.done), thousands(total)),
                None => format!("{}: {}", progress.phase, thousands(progress.done)),
            }),
        },
    }
}
