//! Labels of a repository, made when they are missing, and how GitHub names them.

use super::client::{As, GitHub, Method};
use super::error::GitHubError;
use super::limits;
use domain::command::LabelSpec;
use domain::repository::GitHubAddress;
use serde::Deserialize;
use serde_json::json;
use std::ops::ControlFlow;

/// A label as GitHub sends it: an object, in old issues' lists a bare name.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum LabelAnswer {
    Named {
        #[serde(default)]
        name: Option<String>,
    },
    Bare(String),
}

impl LabelAnswer {
    pub(super) fn name(self) -> Option<String> {
        match self {
            Self::Named { name } => name,
            Self::Bare(name) => Some(name),
        }
    }
}

impl GitHub {
    /// Those of these labels that the repository lacks. People may recolour labels: the name is
    /// what counts.
    pub async fn missing_labels(
        &self,
        repo: &GitHubAddress,
        labels: &[LabelSpec],
    ) -> Result<Vec<LabelSpec>, GitHubError> {
        let what = format!("labels of {repo}");
        let mut present = Vec::new();
        let first = self.read(repo, "/labels?per_page=100").await?;
        self.pages(As::Installation(repo.installation), first, &what, |page: Vec<LabelAnswer>| {
            present.extend(page.into_iter().filter_map(LabelAnswer::name).map(|name| name.to_lowercase()));
            ControlFlow::Continue(())
        })
        .await?;
        // GitHub compares names without regard to case.
        Ok(labels.iter().filter(|label| !present.contains(&label.name.to_lowercase())).copied().collect())
    }

    /// Makes a label, unless somebody was faster.
    pub async fn create_label(&self, repo: &GitHubAddress, label: &LabelSpec) -> Result<(), GitHubError> {
        limits::label(label.name)?;
        limits::description(label.description)?;
        let body = json!({ "name": label.name, "color": label.color, "description": label.description });
        let what = format!("label `{}` of {repo}", label.name);
        match self.write(repo, Method::Post, "/labels", Some(&body), &what).await {
            Ok(_) => Ok(()),
            // Somebody was faster, or an answer of ours got lost.
            Err(GitHubError::Refused { status: 422, message }) if message.contains("already_exists") => Ok(()),
            Err(error) => Err(error),
        }
    }
}
