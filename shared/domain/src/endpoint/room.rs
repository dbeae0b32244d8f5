//! Room for endpoints: how many a tenant may have, how many of one profile, and whether an endpoint can
//! move to another profile.

use crate::endpoint::Endpoint;
use crate::json::Fault;
use crate::limits::ENDPOINTS_PER_TENANT_MAX;
use crate::profile::Profile;
use crate::secret::Secret;

/// Says whether a tenant that has these `others` has room for one more endpoint of a profile.
pub fn check_room<'a>(
    others: impl IntoIterator<Item = &'a Endpoint>,
    profile: &Profile,
) -> Result<(), Fault> {
    let (mut all, mut same) = (0, 0);
    for endpoint in others {
        all += 1;
        same += usize::from(endpoint.profile == profile.name());
    }
    if all >= ENDPOINTS_PER_TENANT_MAX {
        let detail = format!("the tenant has {ENDPOINTS_PER_TENANT_MAX} endpoints, its limit");
        return Err(Fault::new("", &detail));
    }
    if same >= profile.endpoints_max {
        let (name, most) = (profile.name(), profile.endpoints_max);
        let detail = format!("{name} allows {most} endpoints, and the tenant has them");
        return Err(Fault::new("/profile", &detail));
    }
    Ok(())
}

/// Says whether an endpoint with these `secrets`, its live ones, can move to a profile: the profile must be
/// able to sign with them, or without any.
pub fn check_move(secrets: &[Secret], profile: &Profile) -> Result<(), Fault> {
    if secrets.is_empty() && !profile.dialect.secret_is_optional() {
        let detail = "signs every delivery, and the endpoint has no secret";
        return Err(Fault::new("/profile", detail));
    }
    for secret in secrets {
        let text = match secret.expose_text() {
            Ok(text) => text,
            Err(error) => {
                let detail =
                    format!("does not take the endpoint's secret, which {error}: rotate it first");
                return Err(Fault::new("/profile", &detail));
            }
        };
        if let Err(fault) = profile.dialect.key(text) {
            let detail =
                format!("does not take the endpoint's secret, which {fault}: rotate it first");
            return Err(Fault::new("/profile", &detail));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::Timestamp;

    fn endpoints(count: usize, profile: &str) -> Vec<Endpoint> {
        let (id, tenant) = ("ep_1".parse().unwrap(), "acme".parse().unwrap());
        let endpoint = Endpoint::new(id, tenant, profile.to_owned(), Timestamp::from_ms(0));
        vec![endpoint; count]
    }

    #[test]
    fn a_tenant_has_room_up_to_its_limit() {
        let profile = Profile::standard();
        let most = ENDPOINTS_PER_TENANT_MAX;
        assert_eq!(check_room(&endpoints(most - 1, "svix"), &profile), Ok(()));
        let fault = check_room(&endpoints(most, "svix"), &profile).unwrap_err();
        assert_eq!(fault.pointer, "");
    }

    #[test]
    fn a_profile_may_allow_fewer() {
        let profiles = Profile::builtins();
        let few = profiles.iter().find(|one| one.endpoints_max < ENDPOINTS_PER_TENANT_MAX).unwrap();
        let most = few.endpoints_max;
        assert_eq!(check_room(&endpoints(most - 1, few.name()), few), Ok(()));
        let fault = check_room(&endpoints(most, few.name()), few).unwrap_err();
        assert_eq!(fault.pointer, "/profile");
        assert_eq!(check_room(&endpoints(most, "another"), few), Ok(()));
    }

    #[test]
    fn an_endpoint_moves_where_its_secrets_can_sign() {
        let standard = Profile::standard();
        let whsec = standard.dialect.generate_secret([7; 32]).to_string();
        assert_eq!(check_move(&[Secret::new(whsec.into_bytes())], &standard), Ok(()));
        let text = Secret::new(b"any text of eight or more".to_vec());
        assert!(check_move(&[text], &standard).unwrap_err().detail.contains("rotate it first"));
        assert!(check_move(&[], &standard).is_err(), "standard signs every delivery");
        let profiles = Profile::builtins();
        let unsigned = profiles.iter().find(|one| one.dialect.secret_is_optional()).unwrap();
        assert_eq!(check_move(&[], unsigned), Ok(()));
    }
}
