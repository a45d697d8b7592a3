//! An installation that began on SQLite goes on with PostgreSQL, as if nothing had happened.

use crate::harness::browser::{Browser, link_in};
use crate::harness::story::{CART_PATH, REPO, run_test};

#[test]
fn an_installation_on_sqlite_is_taken_along_to_postgres() {
    run_test(async |story| {
        let (Some(target), in_use) = (story.another_postgres().await, story.config().database_url) else {
            println!("NOT WITHOUT POSTGRESQL: there is nothing to move to");
            return;
        };
        story.stop().await;
        let file = story.folder().join("first.db");
        let from = format!("sqlite://{}", file.display());
        story.set("DATABASE_URL", &from);
        story.start().await;
        let mail = story.alerted().await;
        let entry = ["known-error", "add", REPO, "--file", "shop/other.py"];
        story.command(&entry);
        let (key, project) = story.key().await;
        for _ in 0..3 {
            // They wait in the journal, which is moved as everything else is.
            assert_eq!(story.send_to(story.url(), &key, project, &story.event()).await, 200);
        }
        let refused = story.refused_command(&["move-to", &target]);
        assert!(refused.contains("another Flawless server already works on"), "{refused}");
        story.stop().await;

        for (to, why) in [
            (in_use.as_str(), "holds something already (in its table meta): name an empty database"),
            ("sqlite://other.db", "name one as postgres://"),
            ("postgres://ada:secret@127.0.0.1:1/none", "can't be opened"),
        ] {
            let refused = story.refused_command(&["move-to", to]);
            assert!(refused.contains(why) && !refused.contains("secret"), "{refused}");
        }
        let said = story.command(&["move-to", &target]);
        assert!(said.contains("1  lines\n") && said.contains("rows in all are in postgres://"), "{said}");
        let (refused, _) = story.refused_server(&[]).await;
        assert!(refused.contains("what this database held was moved to postgres://"), "{refused}");
        let refused = story.refused_command(&["report", "this-week"]);
        assert!(refused.contains("set DATABASE_URL to that one"), "{refused}");
        let again = story.refused_command(&["move-to", &target]);
        assert!(again.contains("was moved to"), "{again}");

        story.set("DATABASE_URL", &target);
        story.start().await;
        // Nobody works on the file, and nothing is told again.
        story.report(&story.event()).await;
        story.settle().await;
        assert_eq!(story.lines().await[0].total, 5);
        assert_eq!(story.transcript(), "", "its one alert was sent before");
        assert!(story.page("/acme/shop/whitelist").await.contains("shop/other.py"));
        let link = link_in(&mail, "/view_traceback");
        assert_eq!(Browser::new(story).get(&link).await.status, 200, "links of older mails open");
        story.fails_at(CART_PATH, "PRICES[sku]", "total").await;
        story.transcript();

        story.stop().await;
        story.set("DATABASE_URL", &from);
        let back = story.command(&["move-to", "--take-back"]);
        assert!(back.contains("goes on with this file"), "{back}");
        story.start().await;
        assert_eq!(story.lines().await[0].total, 4, "as it was then");
    });
}
