//! Who we are there: keys, tokens, installations, and what they see.

use super::{NOW, new_issue, world};
use crate::harness::fake_github::{APP_ID, BOT, FakeGitHub, SLUG};
use crate::harness::scenes::MINUTE;
use app::clock::Clock;
use github::{GitHub, GitHubError, Settings, TimeSource};

#[tokio::test]
async fn ten_who_need_a_token_cause_one_and_share_it() {
    let world = world().await;
    let (github, installation) = (&world.github, world.installation);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let github = github.clone();
        tasks.spawn(async move { github.token(installation).await.unwrap() });
    }
    let tokens = tasks.join_all().await;
    assert!(tokens.windows(2).all(|pair| pair[0] == pair[1]), "{tokens:?}");
    assert_eq!(world.fake.installation_of(&tokens[0]), Some(installation));
    assert_eq!(world.fake.requests_of("apps/create-installation-access-token").len(), 1);

    github.forget_token(installation).await;
    assert_ne!(github.token(installation).await.unwrap(), tokens[0]);
    world.fake.assert_clean();
}

#[tokio::test]
async fn a_token_in_its_last_minutes_is_not_handed_out_again() {
    let world = world().await;
    world.fake.set_token_life(4 * MINUTE);
    let first = world.github.token(world.installation).await.unwrap();
    world.fake.set_token_life(7 * MINUTE);
    let second = world.github.token(world.installation).await.unwrap();
    assert_ne!(first, second);
    assert_eq!(world.github.token(world.installation).await.unwrap(), second);
    world.fake.assert_clean();
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_and_the_work_done_once() {
    let world = world().await;
    world.github.token(world.installation).await.unwrap();
    // As after a suspended laptop: the token's hour has passed unnoticed.
    world.clock.advance(61 * MINUTE);
    world.github.create_issue(&world.shop(), &new_issue("m")).await.unwrap();
    let statuses =
        |operation: &str| -> Vec<u16> { world.fake.requests_of(operation).iter().map(|it| it.status).collect() };
    assert_eq!((statuses("repos/get"), statuses("issues/create")), (vec![401, 200], vec![201]));
    world.fake.fail_next("issues/create", crate::harness::fake_github::Fault::status(401, "Bad credentials"));
    world.github.create_issue(&world.shop(), &new_issue("n")).await.unwrap();
    assert_eq!(statuses("issues/create"), [201, 401, 201]);
    assert_eq!(world.fake.issues("acme/shop").len(), 2);
    world.fake.assert_clean();
}

#[tokio::test]
async fn a_token_that_is_refused_twice_is_the_credentials_fault() {
    let world = world().await;
    for _ in 0..2 {
        world.fake.fail_next("issues/get", crate::harness::fake_github::Fault::status(401, "Bad credentials"));
    }
    let error = world.github.issue(&world.shop(), 1).await.unwrap_err();
    assert_eq!(error, GitHubError::Unauthorized("Bad credentials".to_owned()));
    assert!(!error.is_permanent(), "a person can mend it");
    assert_eq!(world.fake.requests_of("issues/get").len(), 2);
    world.fake.assert_clean();
}

#[tokio::test]
async fn a_foreign_key_and_a_wrong_number_are_told_from_an_uninstalled_app() {
    let world = world().await;
    let foreign = include_str!("../data/app-key.pkcs8.pem").to_owned();
    // The same key in PKCS#8 is no foreign key.
    let same = GitHub::new(Settings { private_key_pem: foreign.into(), ..world.fake.settings() }).unwrap();
    assert!(same.token(world.installation).await.is_ok());

    let wrong_number = GitHub::new(Settings { app_id: APP_ID + 1, ..world.fake.settings() }).unwrap();
    let error = wrong_number.token(world.installation).await.unwrap_err();
    assert!(error.to_string().contains("Check APP_ID"), "{error}");

    let key = include_str!("../data/other-key.pem");
    let wrong_key = GitHub::new(Settings { private_key_pem: key.into(), ..world.fake.settings() }).unwrap();
    let error = wrong_key.app_slug().await.unwrap_err();
    assert!(matches!(error, GitHubError::Unauthorized(_)), "{error}");

    assert_eq!(world.github.token(77).await, Err(GitHubError::Uninstalled { installation: 77 }));
    world.fake.assert_clean();
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_at_once() {
    let settings = |url: &str, key: &str| Settings::new(url, 1, key, TimeSource::new(|| NOW));
    let key = crate::harness::fake_github::PRIVATE_KEY;
    assert!(matches!(GitHub::new(settings("api.github.com", key)), Err(GitHubError::Settings(_))));
    assert!(matches!(GitHub::new(settings("http://127.0.0.1:1", "x")), Err(GitHubError::Key(_))));
    let shown = format!("{:?} {:?}", settings("http://x", key), GitHub::new(settings("http://x", key)).unwrap());
    assert!(!shown.contains("PRIVATE") && !shown.contains(&key[40..60]), "{shown}");
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    let made = GitHub::new(Settings::new(
        "http://127.0.0.1:1",
        1,
        crate::harness::fake_github::PRIVATE_KEY,
        TimeSource::new(|| NOW),
    ));
    assert!(matches!(made, Err(GitHubError::Settings(_))));
}

#[tokio::test]
async fn our_own_name_is_asked_once() {
    let world = world().await;
    assert_eq!(world.github.app_slug().await.unwrap(), SLUG);
    assert_eq!(world.github.clone().bot_login().await.unwrap(), BOT);
    assert_eq!(world.fake.requests_of("apps/get-authenticated").len(), 1);
    world.fake.assert_clean();
}

#[tokio::test]
async fn all_installations_are_listed_over_several_pages() {
    let world = world().await;
    for number in 0..120 {
        world.fake.add_account(5000 + number, &format!("org{number}"), "Organization");
        world.fake.install(&format!("org{number}"), &[]);
    }
    world.fake.suspend(world.installation, true);
    let all = world.github.installations().await.unwrap();
    assert_eq!(all.len(), 121);
    assert_eq!((all[0].id, all[0].account.as_str(), all[0].suspended), (world.installation, "acme", true));
    assert_eq!((all[120].account.as_str(), all[120].suspended), ("org119", false));
    assert_eq!(world.fake.requests_of("apps/list-installations").len(), 2);
    world.fake.assert_clean();
}

#[tokio::test]
async fn all_repositories_are_listed_over_several_pages() {
    let fake = FakeGitHub::start(Clock::fixed(NOW)).await;
    let names: Vec<String> = (0..201).map(|number| format!("acme/r{number}")).collect();
    for (number, name) in names.iter().enumerate() {
        fake.add_repository(name, number % 2 == 0);
    }
    fake.add_repository("acme/unseen", false);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let installation = fake.install("acme", &names);
    let github = GitHub::new(fake.settings()).unwrap();
    let all = github.repositories(installation).await.unwrap();
    assert_eq!(all.iter().map(|it| it.full_name.as_str()).collect::<Vec<_>>(), names);
    assert_eq!((all[0].private, all[1].private), (true, false));
    assert_eq!(all[200].default_branch.as_deref(), Some("main"));
    assert_eq!(all[200].clone_url.as_deref(), Some("https://github.com/acme/r200.git"));
    assert_eq!(all[200].html_url, "https://github.com/acme/r200");
    assert_eq!(fake.requests_of("apps/list-repos-accessible-to-installation").len(), 3);
    fake.assert_clean();
}

#[tokio::test]
async fn a_suspended_or_uninstalled_app_is_told_even_with_a_token_in_hand() {
    let world = world().await;
    let (github, installation) = (&world.github, world.installation);
    github.token(installation).await.unwrap();
    world.fake.suspend(installation, true);
    let suspended = Err(GitHubError::Suspended { installation });
    assert_eq!(github.repositories(installation).await, suspended);
    github.forget_token(installation).await;
    assert_eq!(github.token(installation).await, Err(GitHubError::Suspended { installation }));

    world.fake.suspend(installation, false);
    assert_eq!(github.repositories(installation).await.unwrap().len(), 1);
    world.fake.uninstall(installation);
    assert_eq!(github.repositories(installation).await, Err(GitHubError::Uninstalled { installation }));
    world.fake.assert_clean();
}

#[tokio::test]
async fn a_repository_out_of_sight_is_gone() {
    let world = world().await;
    world.fake.add_repository("acme/other", true);
    let error = world.github.create_issue(&world.called("acme/other"), &new_issue("m")).await.unwrap_err();
    assert_eq!(error, GitHubError::Gone("a new issue in acme/other (Not Found)".to_owned()));
    world.fake.assert_clean();
}
