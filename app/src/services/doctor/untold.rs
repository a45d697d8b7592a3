//! Lines that nobody was told of.

use crate::services::Site;
use crate::services::vitals::Vitals;
use domain::counted::counted;
use domain::finding::Finding;
use domain::ids::RepositoryId;
use domain::untold::Untold;
use store::StoreError;

/// What the doctor says of lines that nobody was told of, by repository.
pub(super) fn findings(
    untold: &Result<Vec<(RepositoryId, Untold)>, StoreError>,
    vitals: &Vitals,
    site: &Site,
) -> Vec<Finding> {
    // That the database does not answer is said already.
    let (Ok(untold), Ok(rows)) = (untold, &vitals.repositories) else { return Vec::new() };
    let of = |&(id, untold): &(RepositoryId, Untold)| {
        let row = rows.iter().find(|row| row.repository.id == id)?;
        let name = row.repository.full_name.as_str();
        let what = format!("{} told to nobody", counted(untold.lines, "open line was", "open lines were"));
        let went = untold.went().map(|went| format!("{went} ")).unwrap_or_default();
        let page = format!("{went}Listed on {}/{name}", site.linker.base());
        let todo = match (&row.settings.email.default_contact, &site.operator) {
            (Some(_), _) => format!("{page}; default_contact is told of what comes from now on."),
            (None, Some(_)) => format!("{page}. Set email.default_contact in its .github/flawless.yml."),
            (None, None) => format!(
                "{page}. Set email.default_contact in its .github/flawless.yml, or OPERATOR_EMAIL for whatever is nobody's."
            ),
        };
        Some(Finding::warning(name, what, todo))
    };
    untold.iter().filter_map(of).collect()
}
