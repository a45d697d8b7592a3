//! What each step is given of what is open.

use super::Handles;
use crate::services::installed::Installed;
use crate::steps::attribute::{Attribute, TestReports};
use crate::steps::decide::Decide;
use crate::steps::deliver::{Deliver, GitHubWriter, MailSender, OutboxFiles};
use crate::steps::reconcile::Reconcile;
use crate::steps::webhook::{IssueWebhooks, Webhooks};
use crate::worker::Steps;
use std::sync::Arc;

impl Handles {
    pub(super) fn steps(&self) -> Steps {
        Steps {
            attribute: self.attribute(),
            decide: self.decide(),
            deliver: self.deliver(),
            github_writer: self.github_writer(),
            webhooks: self.webhooks(),
            mirror_sync: self.mirror_sync(),
            reconcile: self.reconcile(),
        }
    }

    fn attribute(&self) -> Attribute {
        Attribute {
            store: self.store.clone(),
            mirrors: self.mirrors.clone(),
            mirror_sync: self.mirror_sync(),
            test_reports: TestReports {
                store: self.store.clone(),
                mirrors: self.mirrors.clone(),
                recipients: self.recipients(),
                github_app: self.github_app.clone(),
                mailer: Arc::clone(&self.mailer),
            },
        }
    }

    fn decide(&self) -> Decide {
        Decide {
            store: self.store.clone(),
            mirrors: self.mirrors.clone(),
            recipients: self.recipients(),
            github_app: self.github_app.clone(),
            wake: self.wake.clone(),
        }
    }

    fn deliver(&self) -> Deliver {
        Deliver {
            store: self.store.clone(),
            github_app: self.github_app.clone(),
            mails: self.mail_sender(),
            files: OutboxFiles { outbox: self.outbox.clone(), content: self.alert_content() },
        }
    }

    pub(crate) fn mail_sender(&self) -> MailSender {
        MailSender {
            store: self.store.clone(),
            mailer: Arc::clone(&self.mailer),
            content: self.alert_content(),
            recipients: self.recipients(),
            wake: self.wake.clone(),
        }
    }

    fn github_writer(&self) -> GitHubWriter {
        GitHubWriter {
            store: self.store.clone(),
            github_app: self.github_app.clone(),
            recipients: self.recipients(),
            content: self.alert_content(),
            installed: self.installed(),
        }
    }

    fn webhooks(&self) -> Webhooks {
        Webhooks {
            store: self.store.clone(),
            github_app: self.github_app.clone(),
            installed: self.installed(),
            issues: IssueWebhooks {
                store: self.store.clone(),
                github_app: self.github_app.clone(),
                site: self.site.clone(),
                mirror_sync: self.mirror_sync(),
                rules: self.rules(),
                epoch: self.epoch.clone(),
                answers: self.answers.clone(),
                wake: self.wake.clone(),
            },
            wake: self.wake.clone(),
        }
    }

    fn reconcile(&self) -> Reconcile {
        Reconcile {
            store: self.store.clone(),
            github_app: self.github_app.clone(),
            installed: self.installed(),
            wake: self.wake.clone(),
        }
    }

    fn installed(&self) -> Installed {
        Installed { store: self.store.clone(), repositories: self.repositories() }
    }
}
