//! Lines that nobody was told of.

use crate::services::Site;
use crate::services::vitals::Vitals;
use domain::counted::counted;
use domain::finding::Finding;
use domain::ids::RepositoryId;
use store::StoreError;

/// What the doctor says of lines that nobody was told of, by repository.
pub(super) fn findings(
    untold: &Result<Vec<(RepositoryId, u64)>, StoreError>,
    vitals: &Vitals,
    site: &Site,
) -> Vec<Finding> {
    // That the database does not answer is said already.
    let (Ok(untold), Ok(rows)) = (untold, &vitals.repositories) else { return Vec::new() };
    let of = |&(id, count): &(RepositoryId, u64)| {
        let row = rows.iter().find(|row| row.repository.id == id)?;
        let name = row.repository.full_name.as_str();
        let what = format!("{} told to nobody", counted(count, "open line was", "open lines were"));
        let page = format!("Listed on {}/{name}", site.linker.base());
        let todo = match (&row.settings.email.default_contact, &site.operator) {
            (Some(_), _) => format!("{page}; default_contact is told of what comes from now on."),
            (None, Some(_)) => {
                format!(
                    "{page}, and were mailed to OPERATOR_EMAIL. Set email.default_contact in its .github/flawless.yml."
                )
            }
            (None, None) => format!(
                "{page}. Set email.default_contact in its .github/flawless.yml, or OPERATOR_EMAIL for whatever is nobody's."
            ),
        };
        Some(Finding::warning(name, what, todo))
    };
    untold.iter().filter_map(of).collect()
}
