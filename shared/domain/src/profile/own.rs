//! Profiles of a deployment's own: which may be put.

use super::Profile;
use crate::json::Fault;
use crate::limits::OWN_PROFILES_MAX;

impl Profile {
    /// Says whether the profile's file may be put under a name.
    pub fn check_name(&self, name: &str) -> Result<(), Fault> {
        if self.name() != name {
            return Err(Fault::new("/name", "must be the name in the path"));
        }
        Ok(())
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
    fn a_profile_is_replaced_where_there_is_no_room_for_another() {
        let names: Vec<String> = (0..OWN_PROFILES_MAX).map(|index| format!("p{index}")).collect();
        let own: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(Profile::check_room(&own, "p0"), Ok(()));
        assert!(Profile::check_room(&own, "another").is_err());
        assert_eq!(Profile::check_room(&own[1..], "another"), Ok(()));
    }
}
