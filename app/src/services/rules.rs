//! Rules are made, changed and ended here: by a label, on a page or in the terminal, and by
//! their last day.

use super::{Counts, Epoch};
use domain::delivery::DeliveryMode;
use domain::ids::{RepositoryId, RuleId};
use domain::rule::{MadeRule, Rule, RuleKind, Rules};
use domain::timestamp::Timestamp;
use std::collections::BTreeSet;
use store::deliveries::NewDelivery;
use store::lines::Line;
use store::repositories::RepositoryRow;
use store::rules::{Baseline, Ending, Insertion, NewRule, RuleRow};
use store::{Store, StoreError};

/// Makes, changes and ends rules, and brings the lines that they cover in line with them.
#[derive(Clone)]
pub struct RuleBook {
    /// The rows.
    pub store: Store,
    /// To be turned with each change.
    pub epoch: Epoch,
    /// A rule notes how often the lines that it covers had happened.
    pub counts: Counts,
}

impl RuleBook {
    /// Makes a rule and puts it in force at once.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn make(&self, new: &NewRule, now: Timestamp) -> Result<Insertion, StoreError> {
        let covered = self.covered(new.repository, &new.rule, now).await?;
        let made = store::rules::insert(&self.store, new, &covered, now).await?;
        self.judge_again(new.repository, new.rule.file(), now).await?;
        Ok(made)
    }

    /// Changes a rule that is in force, wherever it came from; `false` where it is not.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn change(
        &self,
        repository: RepositoryId,
        rule: RuleId,
        becomes: &Rule,
        by: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(before) = self.in_force(repository, rule).await? else { return Ok(false) };
        let covered = self.covered(repository, becomes, now).await?;
        self.release_line(&before, Some(becomes), now).await?;
        let changed = store::rules::update(&self.store, repository, rule, becomes, &covered, by, now).await?;
        for file in BTreeSet::from([before.made.rule.file(), becomes.file()]) {
            self.judge_again(repository, file, now).await?;
        }
        Ok(changed)
    }

    /// Ends a rule; `false` where it was not in force. One that a label made leaves its issue
    /// closed: the line counts as resolved then, so that its next report opens the issue again.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn end(
        &self,
        repository: RepositoryId,
        rule: RuleId,
        by: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(row) = self.in_force(repository, rule).await? else { return Ok(false) };
        self.release_line(&row, None, now).await?;
        let ended = store::rules::end(&self.store, repository, rule, by, now).await?;
        self.judge_again(repository, row.made.rule.file(), now).await?;
        Ok(ended)
    }

    /// Ends the rules that labels of a line's issue made, and replies to each.
    ///
    /// # Errors
    /// Those of the reply; the database is out of reach.
    pub async fn end_of_labels<E: From<StoreError>>(
        &self,
        line: &Line,
        ending: Ending<'_>,
        by: &str,
        reply: impl Fn(&RuleRow) -> Result<(NewDelivery, DeliveryMode), E>,
        now: Timestamp,
    ) -> Result<(), E> {
        let ended = store::rules::end_of_label(&self.store, line.id, ending, by, reply, now).await?;
        // Its own file in any case: whoever was cut off in between finds nothing more to end.
        let files = ended.iter().map(|rule| rule.made.rule.file()).chain([line.place.path.as_str()]);
        for file in files.collect::<BTreeSet<&str>>() {
            self.judge_again(line.repository, file, now).await?;
        }
        Ok(())
    }

    /// Ends what holds until a day that is over, and lets lines be told again that only such
    /// entries of a file covered.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn end_what_is_over(&self, now: Timestamp) -> Result<(), StoreError> {
        for row in store::repositories::list(&self.store).await? {
            let id = row.repository.id;
            for rule in store::rules::in_force(&self.store, id).await?.iter().filter(|rule| rule.made.rule.is_over(now))
            {
                self.end(id, rule.made.id, "its last day", now).await?;
            }
            self.lapse_of_file(&row, now).await?;
        }
        Ok(())
    }

    /// The entries of a repository's own file whose last day is over.
    async fn lapse_of_file(&self, row: &RepositoryRow, now: Timestamp) -> Result<(), StoreError> {
        let over = row.settings.known_errors.iter().filter(|it| it.is_over(now));
        for file in over.map(|it| it.file.as_str()).collect::<BTreeSet<&str>>() {
            if self.judge_again(row.repository.id, file, now).await? > 0 {
                store::rules::record_lapsed(&self.store, row.repository.id).await?;
                self.epoch.turn();
            }
        }
        Ok(())
    }

    /// Before a label's rule ends or is changed: if nothing else covers its line then, the line
    /// counts as resolved, for its issue is closed, and nothing would ever open it again. It comes
    /// first, so that whoever is cut off in between can do it once more: while the rule is in
    /// force, it is the one that decides.
    async fn release_line(&self, rule: &RuleRow, becomes: Option<&Rule>, now: Timestamp) -> Result<(), StoreError> {
        let Some(id) = rule.line.filter(|_| rule.made.rule.kind() == RuleKind::KnownError) else { return Ok(()) };
        let Some(line) = store::lines::by_id(&self.store, id).await? else { return Ok(()) };
        let Some(row) = store::repositories::by_id(&self.store, line.repository).await? else { return Ok(()) };
        let made = store::rules::in_force(&self.store, line.repository).await?.into_iter().map(|row| row.made);
        let then = made.filter_map(|made| match becomes {
            _ if made.id != rule.made.id => Some(made),
            Some(rule) => Some(MadeRule { rule: rule.clone(), ..made }),
            None => None,
        });
        let rules = Rules::new(row.settings, then.collect(), now);
        if rules.known_error(line.code_at()).is_none() {
            store::lines::resolve_for_now(&self.store, id, now).await?;
            self.epoch.turn();
        }
        Ok(())
    }

    async fn in_force(&self, repository: RepositoryId, rule: RuleId) -> Result<Option<RuleRow>, StoreError> {
        Ok(store::rules::in_force(&self.store, repository).await?.into_iter().find(|row| row.made.id == rule))
    }

    /// The lines that a rule covers, with their counts.
    async fn covered(
        &self,
        repository: RepositoryId,
        rule: &Rule,
        now: Timestamp,
    ) -> Result<Vec<Baseline>, StoreError> {
        self.counts.bring_up_to_date(now).await?;
        let pattern = rule.pattern();
        let lines = store::lines::of_path(&self.store, repository, rule.file()).await?;
        Ok(lines.iter().filter(|line| pattern.matches(line.code_at())).map(|line| (line.id, line.total)).collect())
    }

    /// Marks the lines of a file as known or not, as the rules now say, so that pages agree with
    /// them at once. Returns how many changed.
    async fn judge_again(&self, repository: RepositoryId, file: &str, now: Timestamp) -> Result<usize, StoreError> {
        self.epoch.turn();
        let Some(row) = store::repositories::by_id(&self.store, repository).await? else { return Ok(0) };
        let rules = store::rules::of_repository(&self.store, repository, row.settings, now).await?;
        let mut changed = 0;
        for line in store::lines::of_path(&self.store, repository, file).await? {
            let known = rules.known_error(line.code_at()).is_some();
            if known != line.known {
                store::lines::set_known(&self.store, line.id, known).await?;
                changed += 1;
            }
        }
        Ok(changed)
    }
}
