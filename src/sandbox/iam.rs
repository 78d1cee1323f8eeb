//! A little of IAM (query) and of Route 53 (rest-xml): the two global services whose
//! credential scope must say us-east-1.

use bytes::Bytes;
use hyper::Response;

use super::errors::{Fault, xml};
use super::reader::{Pair, lookup};
use super::server::{Call, Note};
use super::sts::{form_action, invalid_action, reply};
use super::times;
use super::world::unique_id;

pub(super) const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";
pub(super) const ROUTE53: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

pub(super) fn answer(
    call: &Call<'_>,
    form: &[Pair],
    note: &mut Note,
) -> Result<Response<Bytes>, Fault> {
    let action = form_action(call, form);
    note.operation.clone_from(&action);
    let result = match action.as_str() {
        "GetUser" => get_user(call, form),
        "ListRoles" => list_roles(call),
        "CreateAccessKey" => create_key(call, form),
        other => Err(invalid_action(other)),
    }?;
    Ok(reply(NAMESPACE, &action, &result, call.ids))
}

fn get_user(call: &Call<'_>, form: &[Pair]) -> Result<String, Fault> {
    let name = named_user(call, form)?;
    let arn = user_arn(call, &name);
    call.allow("iam:GetUser", &arn, call.account(), None)?;
    exists(call, &name)?;
    Ok(format!(
        "    <User>\n      <Path>/</Path>\n      <UserName>{}</UserName>\n      \
         <UserId>{}</UserId>\n      <Arn>{}</Arn>\n      \
         <CreateDate>2024-01-01T00:00:00Z</CreateDate>\n    </User>\n",
        xml(&name),
        unique_id("AIDA", &name),
        xml(&arn)
    ))
}

fn list_roles(call: &Call<'_>) -> Result<String, Fault> {
    let on = format!("arn:aws:iam::{}:role/", call.account());
    call.allow("iam:ListRoles", &on, call.account(), None)?;
    let roles = call
        .state
        .world
        .account(call.account())
        .map_or(&[][..], |account| &account.roles);
    let members: String = roles
        .iter()
        .map(|role| {
            format!(
                "      <member>\n        <Path>/</Path>\n        <RoleName>{}</RoleName>\n        \
                 <RoleId>{}</RoleId>\n        <Arn>{}</Arn>\n        \
                 <CreateDate>2024-01-01T00:00:00Z</CreateDate>\n        \
                 <MaxSessionDuration>{}</MaxSessionDuration>\n      </member>\n",
                role.name,
                unique_id("AROA", &role.name),
                role.arn(call.account()),
                role.max_session
            )
        })
        .collect();
    Ok(format!(
        "    <IsTruncated>false</IsTruncated>\n    <Roles>\n{members}    </Roles>\n"
    ))
}

fn create_key(call: &Call<'_>, form: &[Pair]) -> Result<String, Fault> {
    let name = named_user(call, form)?;
    let arn = user_arn(call, &name);
    call.allow("iam:CreateAccessKey", &arn, call.account(), None)?;
    let user = exists(call, &name)?;
    let principal = call
        .state
        .keyring
        .find(&user)
        .map(|known| known.principal)
        .ok_or_else(|| no_such_user(&name))?;
    let (id, secret) = call.state.keyring.create(principal);
    Ok(format!(
        "    <AccessKey>\n      <UserName>{}</UserName>\n      <AccessKeyId>{id}</AccessKeyId>\n      \
         <Status>Active</Status>\n      <SecretAccessKey>{secret}</SecretAccessKey>\n      \
         <CreateDate>{}</CreateDate>\n    </AccessKey>\n",
        xml(&name),
        times::iso(call.now)
    ))
}

/// The user that is asked about: the caller, if none is named.
fn named_user(call: &Call<'_>, form: &[Pair]) -> Result<String, Fault> {
    if let Some(name) = lookup(form, "UserName") {
        return Ok(name);
    }
    let entity = &call.signed.principal.entity;
    if entity.is_role {
        let message = "Must specify userName when calling with non-User credentials";
        return Err(Fault::new(400, "ValidationError", message));
    }
    Ok(entity.name.clone())
}

fn user_arn(call: &Call<'_>, name: &str) -> String {
    format!("arn:aws:iam::{}:user/{name}", call.account())
}

/// An active key of the user.
fn exists(call: &Call<'_>, name: &str) -> Result<String, Fault> {
    call.state
        .world
        .account(call.account())
        .and_then(|account| account.users.iter().find(|user| user.name == name))
        .and_then(|user| user.keys.iter().find(|key| key.active))
        .map(|key| key.id.clone())
        .ok_or_else(|| no_such_user(name))
}

fn no_such_user(name: &str) -> Fault {
    let message = format!("The user with name {name} cannot be found.");
    Fault::new(404, "NoSuchEntity", message)
}

/// `ListHostedZones`, and that nothing else is known.
pub(super) fn route53(call: &Call<'_>, note: &mut Note) -> Result<Response<Bytes>, Fault> {
    if call.head.method != "GET" || call.head.path != "/2013-04-01/hostedzone" {
        let message = "No hosted zone found with that ID";
        return Err(Fault::new(404, "NoSuchHostedZone", message));
    }
    note.operation = "ListHostedZones".into();
    call.allow("route53:ListHostedZones", "*", call.account(), None)?;
    let body = format!(
        "<?xml version=\"1.0\"?>\n<ListHostedZonesResponse xmlns=\"{ROUTE53}\"><HostedZones>\
         <HostedZone><Id>/hostedzone/Z0EXAMPLE</Id><Name>example.com.</Name>\
         <CallerReference>sandbox</CallerReference><ResourceRecordSetCount>2\
         </ResourceRecordSetCount></HostedZone></HostedZones><IsTruncated>false</IsTruncated>\
         <MaxItems>100</MaxItems></ListHostedZonesResponse>"
    );
    let mut reply = Response::new(Bytes::from(body));
    let kind = hyper::header::HeaderValue::from_static("text/xml");
    reply.headers_mut().insert("content-type", kind);
    Ok(reply)
}
