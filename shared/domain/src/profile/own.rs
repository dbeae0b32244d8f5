//! Profiles of a deployment's own: which may be put.

use super::{Member, Profile, Value};
use crate::json::Fault;
use crate::limits::{
    OWN_PROFILE_BYTES_MAX, OWN_PROFILE_COPIES_MAX, OWN_PROFILE_MEMBERS_MAX, OWN_PROFILES_MAX,
};

impl Profile {
    /// Says whether the profile's file may be put under a name.
    pub fn check_name(&self, name: &str) -> Result<(), Fault> {
        if self.name() != name {
            return Err(Fault::new("/name", "must be the name in the path"));
        }
        Ok(())
    }

    /// Says whether rendering by the profile, and reading it, stays within its bounds for every event.
    pub fn check_cost(&self) -> Result<(), Fault> {
        let bytes = self.file.get().len();
        let (mut members, mut copies) = (0, 0);
        count(&self.envelope.members, &mut members, &mut copies);
        let bounds = [
            (bytes, OWN_PROFILE_BYTES_MAX, "", "bytes"),
            (members, OWN_PROFILE_MEMBERS_MAX, "/envelope/members", "members"),
            (
                copies,
                OWN_PROFILE_COPIES_MAX,
                "/envelope/members",
                "members that hold the payload or all attributes",
            ),
        ];
        match bounds.into_iter().find(|(found, most, ..)| found > most) {
            None => Ok(()),
            Some((found, most, pointer, what)) => {
                let detail = format!("is too dear: it has {found} {what}, {most} are allowed");
                Err(Fault::new(pointer, &detail))
            }
        }
    }

    /// Says whether a deployment that has `own` profiles, by name, has room for one of this name: one that is
    /// there already is replaced.
    pub fn check_room(own: &[&str], name: &str) -> Result<(), Fault> {
        if !own.contains(&name) && own.len() >= OWN_PROFILES_MAX {
            let detail =
                format!("the deployment has {OWN_PROFILES_MAX} profiles of its own, its limit");
            return Err(Fault::new("", &detail));
        }
        Ok(())
    }
}

fn count(all: &[Member], members: &mut usize, copies: &mut usize) {
    for member in all {
        *members += 1;
        let is_copy =
            matches!(member.value, Some(Value::Data | Value::Attributes | Value::Extensions));
        *copies += usize::from(is_copy);
        count(member.members.as_deref().unwrap_or_default(), members, copies);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_under_its_own_name() {
        let standard = Profile::standard();
        assert_eq!(standard.check_name("standard"), Ok(()));
        assert_eq!(standard.check_name("other").unwrap_err().pointer, "/name");
    }

    #[test]
    fn what_a_profile_makes_of_an_event_is_counted_when_it_is_put() {
        assert!(Profile::builtins().iter().all(|profile| profile.check_cost().is_ok()));
        let (_, text) = waxseal_verify::FILES.iter().find(|(name, _)| *name == "standard").unwrap();
        let mut file: serde_json::Value = serde_json::from_str(text).unwrap();
        let mut fault_with = |members: Vec<serde_json::Value>, about: String| {
            file["envelope"]["members"] = members.into();
            file["about"] = about.into();
            Profile::parse(&file.to_string()).unwrap().check_cost().map_err(|fault| fault.detail)
        };
        let copy = |n: usize| serde_json::json!({"name": format!("c{n}"), "value": "data"});
        let plain = |n: usize| serde_json::json!({"name": format!("m{n}"), "attribute": "summary"});
        let nest = |members: Vec<_>| vec![serde_json::json!({"name": "n", "members": members})];
        assert_eq!(fault_with((0..8).map(copy).collect(), String::new()), Ok(()));
        let said = fault_with(nest((0..9).map(copy).collect()), String::new()).unwrap_err();
        assert!(said.contains("9 members that hold the payload"), "{said}");
        let wide = |n: usize| {
            let members: Vec<_> = (0..99).map(plain).collect();
            serde_json::json!({"name": format!("w{n}"), "members": members})
        };
        assert_eq!(fault_with((0..2).map(wide).collect(), String::new()), Ok(()));
        let said = fault_with((0..3).map(wide).collect(), String::new()).unwrap_err();
        assert!(said.contains("300 members, 200 are allowed"), "{said}");
        let said = fault_with((0..2).map(plain).collect(), "a".repeat(70_000)).unwrap_err();
        assert!(said.contains("bytes, 65536 are allowed"), "{said}");
    }

    #[test]
    fn a_profile_is_replaced_where_there_is_no_room_for_another() {
        let names: Vec<String> = (0..OWN_PROFILES_MAX).map(|index| format!("p{index}")).collect();
        let own: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(Profile::check_room(&own, "p0"), Ok(()));
        assert!(Profile::check_room(&own, "another").is_err());
        assert_eq!(Profile::check_room(&own[1..], "another"), Ok(()));
    }
}
