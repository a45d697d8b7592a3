//! The members of an event that is a group of exceptions, each of which is a report of its own.

use crate::groups::is_group;
use crate::sentry_event::{Batched, Event, short};
use crate::sentry_fields::{RawException, RawFrame};
use crate::sentry_frames::{kept_frames, with_message_read};
use domain::fingerprint::Fingerprint;
use domain::group::further_members;
use domain::report::{Frame, Member, Report};

impl Event<'_> {
    /// The members of a group that are reports of their own, with their fingerprints, equal to
    /// `fingerprint_of` of the report with that member; none for nearly all events.
    pub fn members(&self, batched: &Batched) -> Vec<(Member, Fingerprint)> {
        let members = self.further_members();
        if members.is_empty() {
            return Vec::new();
        }
        let whole = self.fingerprint_builder(batched);
        members.into_iter().map(|member| (member.clone(), whole.clone().of_member(member.number))).collect()
    }

    /// The members of the group that was raised, beside the first, that are reports of their own.
    /// Nearly no event is a group, which is seen at a glance.
    fn further_members(&self) -> Vec<Member> {
        let exceptions = &self.exceptions.0;
        let may_be_group = |raw: &RawException<'_>| {
            raw.kind.get().is_some_and(is_group)
                || raw.mechanism.is_some_and(|mechanism| mechanism.get().contains("is_exception_group"))
        };
        // A group of one is as its member.
        if exceptions.len() < 3 || !exceptions.iter().any(may_be_group) {
            return Vec::new();
        }
        let platform = self.platform();
        let place = |raw: &RawFrame<'_>| Frame {
            filename: short(&raw.filename).map(str::to_owned),
            abs_path: short(&raw.abs_path).map(str::to_owned),
            line: raw.line.line(),
            ..Frame::default()
        };
        // What a message says of frames is a member's as well: it is compared in the report.
        let told = |raw: &RawException<'_>| {
            let exception = self.exception(raw, kept_frames(&raw.stacktrace, platform).map(place).collect());
            with_message_read(raw, exception, platform)
        };
        let exceptions = exceptions.iter().flat_map(told).collect();
        further_members(&Report { platform, exceptions, left_out: self.exceptions.1, ..Report::default() })
    }
}

#[cfg(test)]
mod tests {
    use crate::sentry_event::{fingerprint_of, parse};
    use domain::group::further_members;
    use domain::report::Report;
    use serde_json::{Value, json};

    /// An exception of a group, failing at this line of this file.
    fn member(number: usize, word: &str, path: &str, line: u32) -> Value {
        json!({"type": "E", "mechanism": {"exception_id": number + 1, "parent_id": 0, "source": format!("{word}[{number}]")},
            "stacktrace": {"frames": [{"filename": path, "lineno": line}]}})
    }

    fn group(kind: &str, said: bool, members: Vec<Value>) -> Value {
        let mut exceptions: Vec<Value> = members.into_iter().rev().collect();
        let mechanism =
            if said { json!({"exception_id": 0, "is_exception_group": true}) } else { json!({"exception_id": 0}) };
        exceptions.push(json!({"type": kind, "mechanism": mechanism}));
        json!({"exception": {"values": exceptions}})
    }

    fn numbers(event: &Value) -> Vec<u32> {
        let json = event.to_string();
        let mut scratch = String::new();
        let event = parse(json.as_bytes(), &mut scratch).unwrap();
        let members = event.members(&event.batched());
        let report = event.into_report();
        for (member, fingerprint) in &members {
            let of_member = Report { member: Some(member.clone()), ..report.clone() };
            assert_eq!(fingerprint_of(&of_member), *fingerprint);
            assert_ne!(fingerprint_of(&report), *fingerprint);
        }
        members.into_iter().map(|(member, _)| member.number).collect()
    }

    #[test]
    fn the_members_of_a_group_are_found_whichever_client_sent_it() {
        for (kind, word, said) in [
            ("ExceptionGroup", "exceptions", true),
            ("AggregateError", "errors", false),
            ("System.AggregateException", "InnerExceptions", true),
            ("*errors.joinError", "errors", true),
        ] {
            let members = (0..3).map(|number| member(number, word, &format!("{number}.x"), 7)).collect();
            assert_eq!(numbers(&group(kind, said, members)), [2, 3], "{kind}");
        }
        let alike =
            vec![member(0, "errors", "a.js", 3), member(1, "errors", "a.js", 3), member(2, "errors", "a.js", 4)];
        assert_eq!(numbers(&group("AggregateError", true, alike)), [3], "what fails alike is taken once");
        let wrapped = |number: usize| {
            let mut wrapper = member(number, "errors", "wrap.js", 1);
            wrapper["stacktrace"] = Value::Null;
            let mut cause = member(number, "cause", &format!("{number}.js"), 5);
            cause["mechanism"] = json!({"exception_id": number + 20, "parent_id": number + 1, "source": "cause"});
            [cause, wrapper]
        };
        let of_causes = (0..3).flat_map(wrapped).collect();
        assert_eq!(numbers(&group("AggregateError", true, of_causes)), [2, 3], "the causes have the calls");
        let remote = |number: usize| {
            let mut failed = member(number, "exceptions", "pool.py", 1);
            let file = format!("/srv/{number}.py");
            let text = format!(
                "Caught E in worker.\nOriginal Traceback (most recent call last):\n  File \"{file}\", line 3, in work\n    \
                 x\nE: x\n"
            );
            failed["value"] = json!(text);
            failed
        };
        let mut of_workers = group("ExceptionGroup", true, (0..2).map(remote).collect());
        of_workers["platform"] = json!("python");
        assert_eq!(numbers(&of_workers), [2], "the workers' calls are read");
        let many = (0..40).map(|number| member(number, "errors", &format!("{number}.js"), 1)).collect();
        assert_eq!(numbers(&group("AggregateError", true, many)).len(), 9);
    }

    #[test]
    fn members_for_which_there_is_no_room_are_counted() {
        let of = |event: &Value| {
            let json = event.to_string();
            let mut scratch = String::new();
            let event = parse(json.as_bytes(), &mut scratch).unwrap();
            let member = event.members(&event.batched()).remove(0).0;
            let further = further_members(&event.into_report());
            assert_eq!(further[0], member, "as in the report");
            (member.of, member.at_least)
        };
        let many = |count: usize| -> Vec<Value> {
            (0..count).map(|number| member(number, "errors", &format!("{number}.js"), 1)).collect()
        };
        assert_eq!(of(&group("AggregateError", true, many(29))), (29, false));
        assert_eq!(of(&group("AggregateError", true, many(64))), (64, false));
        let mut members = many(64);
        members[50]["mechanism"] = Value::Null;
        assert_eq!(of(&group("AggregateError", true, members)), (63, true));
        let mut members = many(64);
        members[50]["type"] = json!("AggregateError");
        assert_eq!(of(&group("AggregateError", true, members)), (63, true), "it may have any number");
        let mut members = many(64);
        members[50]["mechanism"]["source"] = json!("cause");
        assert_eq!(of(&group("AggregateError", true, members)), (63, false));
    }

    #[test]
    fn what_is_no_group_has_no_members() {
        let chain = json!({"exception": [{"type": "A"}, {"type": "B"}, {"type": "C"}]});
        assert!(numbers(&chain).is_empty());
        let of_one = group("ExceptionGroup", true, vec![member(0, "exceptions", "a.py", 1)]);
        assert!(numbers(&of_one).is_empty());
        // A group within a chain: what was raised is no group.
        let mut caught =
            group("ExceptionGroup", true, vec![member(0, "exceptions", "a.py", 1), member(1, "exceptions", "b.py", 1)]);
        caught["exception"]["values"]
            .as_array_mut()
            .unwrap()
            .push(json!({"type": "Raised", "mechanism": {"exception_id": 9}}));
        assert!(numbers(&caught).is_empty());
    }
}
