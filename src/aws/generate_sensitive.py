#!/usr/bin/env python3
"""Writes data/sensitive.tsv: which members of which AWS operations carry credentials or payload.

Source: the service models of an installed botocore (pip install botocore), their `sensitive`
trait, less ALLOWED, and what the trait misses: CURATED and the name rule SECRET_NAME.
Run: python3 generate_sensitive.py; the output depends on botocore's version alone.

Lines of the output, tab-separated:
  =  botocore directory, service id
  >  or <  a request's or reply's members: tier (C credential, S payload), operations, names
Names are those on the wire, lower-cased, letters and digits only; `*` is the whole body.
Members bound to headers, query or path are left out: the masker knows those by heart.
"""
import gzip
import json
import os
import re

import botocore

MODELS = os.path.join(os.path.dirname(botocore.__file__), "data")
OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "sensitive.tsv")

# Trait-marked members that diagnosis needs: names, descriptions, tags, page tokens, KMS key
# names, error texts.
ALLOWED = re.compile(
    r"(name|names|description|title|tags|tagkeys|nexttoken|message|errormessage|errortype|"
    r"expiration|ssekmskeyid|kmskeyarn|kmskeyid|kmsmasterkeyid|arn|type|status)$"
)
ALLOWED_IN = {
    "s3": {"keyid"},
    "cognito-idp": {"clientid"},
    "ssm": {"parameters"},
    "organizations": {"id"},
    "lambda": {"stacktrace"},
}
NOT_ALLOWED_IN = {"kms": {"message"}}

# Services whose members are the caller's data: marked members there are tier S, unless their
# name says that they are credentials.
DATA_SERVICES = {
    "bedrock-agent-runtime", "bedrock-agentcore", "bedrock-runtime", "comprehend", "dynamodb",
    "ebs", "firehose", "kinesis", "lambda", "lex-runtime", "lexv2-runtime", "sagemaker-runtime", "sns",
    "sqs", "translate",
}
LAMBDA_SECRETS = {"variables", "environment"}

# Members that hold a credential and are not marked.
CURATED_C = """
sts: Credentials.SessionToken AssumeRoleRequest.TokenCode GetSessionTokenRequest.TokenCode ProvidedContext.ContextAssertion
cognito-identity: Credentials.SessionToken
ecr: AuthorizationData.authorizationToken
ecr-public: AuthorizationData.authorizationToken
lightsail: InstanceAccessDetails.privateKey CreateKeyPairResult.privateKeyBase64 DownloadDefaultKeyPairResult.privateKeyBase64
ssm: StartSessionResponse.TokenValue ResumeSessionResponse.TokenValue
sagemaker: StartSessionResponse.TokenValue
codebuild: SSMSession.tokenValue Webhook.secret
appflow: DynatraceConnectorProfileCredentials.apiToken
codepipeline: WebhookAuthConfiguration.SecretToken
firehose: SplunkDestinationConfiguration.HECToken SplunkDestinationDescription.HECToken SplunkDestinationUpdate.HECToken
iot: MqttContext.password TestInvokeAuthorizerRequest.tokenSignature
license-manager: GetAccessTokenResponse.AccessToken CheckoutLicenseResponse.SignedToken
managedblockchain: Accessor.BillingToken CreateAccessorOutput.BillingToken
connect: StartChatContactResponse.ParticipantToken ParticipantTokenCredentials.ParticipantToken
connectparticipant: ConnectionCredentials.ConnectionToken
pinpoint: APNSChannelRequest.TokenKey
iam: EnableMFADeviceRequest.AuthenticationCode1 EnableMFADeviceRequest.AuthenticationCode2 ResyncMFADeviceRequest.AuthenticationCode1 ResyncMFADeviceRequest.AuthenticationCode2
sso-oidc: StartDeviceAuthorizationResponse.deviceCode CreateTokenRequest.deviceCode CreateTokenRequest.code
"""
CURATED_S = """
dynamodb: GetItemOutput.Item PutItemInput.Item PutItemOutput.Attributes UpdateItemOutput.Attributes DeleteItemOutput.Attributes QueryOutput.Items ScanOutput.Items GetItemInput.Key UpdateItemInput.Key DeleteItemInput.Key UpdateItemInput.ExpressionAttributeValues QueryInput.ExpressionAttributeValues ScanInput.ExpressionAttributeValues PutItemInput.ExpressionAttributeValues DeleteItemInput.ExpressionAttributeValues BatchGetItemOutput.Responses BatchGetItemInput.RequestItems BatchWriteItemInput.RequestItems TransactGetItemsOutput.Responses TransactGetItemsInput.TransactItems TransactWriteItemsInput.TransactItems ExecuteStatementInput.Parameters ExecuteStatementOutput.Items
sqs: SendMessageRequest.MessageBody SendMessageBatchRequestEntry.MessageBody Message.Body Message.MessageAttributes SendMessageRequest.MessageAttributes
sns: PublishInput.Message PublishInput.Subject PublishInput.MessageAttributes PublishBatchRequestEntry.Message
kinesis: PutRecordInput.Data PutRecordsRequestEntry.Data Record.Data
firehose: Record.Data
s3: GetObjectOutput.Body PutObjectRequest.Body UploadPartRequest.Body
sso-oidc: StartDeviceAuthorizationResponse.userCode
"""
SECRET_NAME = re.compile(
    r"(secret(?!s?Arn|Id$|Name|Version|ManagerArn|sManager|Status|KmsKey|StringKey|AccessRole"
    r"|Policy|StoreArn|sRole|Key$|IamArn)|secret_?access_?key$|secret_?key$"
    r"|passw(?!ordArn|ordField|ordButton|ordParam|ordSecret|ordVersion|ordVerifier|ordLink)"
    r"|passphrase(?!Secret)|private_?key(?!Identifier)|session_?token|access_?token(?!Id)"
    r"|refresh_?token|(^|[a-z])id_?token$|auth(orization)?_?token|security_?token|bearer_?token"
    r"|api_?key$|pre_?shared_?key$|^otp$|one_?time_?password|saml_?assertion|token_?code"
    r"|web_?identity_?token|authorization_?api_?key_?value|credential)", re.I)
NOT_SECRET = re.compile(
    r"(Arn|Arns|Id|Ids|Type|Name|Status|Enabled|Alias|Prefix|Header|Source|Storage|Location"
    r"|Required|Format|Identifier|CiphertextBlob|SubjectFromWebIdentityToken)$")


def plain(name):
    return re.sub(r"[^a-z0-9]", "", name.lower())


def curated(text):
    table = {}
    for line in text.split("\n"):
        if line:
            service, members = line.split(": ")
            table[service] = set(members.split())
    return table


def load(path):
    for candidate in (path, path + ".gz"):
        if os.path.exists(candidate):
            opener = gzip.open if candidate.endswith("gz") else open
            with opener(candidate) as file:
                return json.load(file)
    return None


class Service:
    def __init__(self, directory, model, c, s):
        self.directory, self.model, self.shapes = directory, model, model["shapes"]
        self.curated = {"C": c, "S": s}
        self.used = set()

    def marked(self, reference):
        return reference.get("sensitive") or self.shapes[reference["shape"]].get("sensitive")

    def allowed(self, name):
        if name in NOT_ALLOWED_IN.get(self.directory, ()):
            return False
        return bool(ALLOWED.search(name)) or name in ALLOWED_IN.get(self.directory, ())

    def tier_of_marked(self, name):
        if self.directory not in DATA_SERVICES or SECRET_NAME.search(name):
            return "C"
        return "C" if self.directory == "lambda" and plain(name) in LAMBDA_SECRETS else "S"

    def members(self, root):
        """{(tier, wire name)} of what a message of shape `root` carries in its body."""
        found, seen, queue = set(), {root}, [root]

        def add(tier, name, names):
            for wire in names:
                if tier == "C" and self.allowed(plain(wire)) and not SECRET_NAME.search(name):
                    continue
                found.add((tier, plain(wire)))

        def follow(name, names, reference, depth=0):
            shape = self.shapes[reference["shape"]]
            if self.marked(reference):
                add(self.tier_of_marked(name), name, names)
            elif shape["type"] == "list" and depth < 8:
                follow(name, names, shape["member"], depth + 1)
            elif shape["type"] == "map" and depth < 8:
                follow(name, names, shape["value"], depth + 1)
            elif shape["type"] == "structure" and reference["shape"] not in seen:
                seen.add(reference["shape"])
                queue.append(reference["shape"])

        while queue:
            current = queue.pop(0)
            shape = self.shapes[current]
            payload = shape.get("payload") if current == root else None
            everything = shape.get("sensitive") and current == root
            for name, reference in shape.get("members", {}).items():
                if current == root and reference.get("location"):
                    continue
                target = self.shapes[reference["shape"]]
                names = {name, reference.get("locationName", name)}
                if name == payload and target["type"] in ("blob", "string"):
                    names = {"*"}
                for tier in "CS":
                    if f"{current}.{name}" in self.curated[tier]:
                        self.used.add(f"{current}.{name}")
                        found.update((tier, plain(wire) or "*") for wire in names)
                text = target["type"] in ("blob", "string") and not target.get("enum")
                if text and SECRET_NAME.search(name) and not NOT_SECRET.search(name):
                    add("C", name, names)
                if names == {"*"}:
                    if self.marked(reference):
                        found.add((self.tier_of_marked(name), "*"))
                elif everything:
                    add(self.tier_of_marked(name), name, names)
                else:
                    follow(name, names, reference)
        return found

    def lines(self):
        groups = {}
        for operation, body in sorted(self.model["operations"].items()):
            for side, key in ((">", "input"), ("<", "output")):
                found = self.members(body[key]["shape"]) if key in body else set()
                for tier in "CS":
                    names = tuple(sorted(name for t, name in found if t == tier))
                    if names:
                        groups.setdefault((side, tier, names), []).append(operation)
        if not groups:
            return []
        head = ["\t".join(("=", self.directory, self.model["metadata"]["serviceId"]))]
        return head + ["\t".join((side, tier, " ".join(operations), " ".join(names)))
                              for (side, tier, names), operations in sorted(groups.items())]


def main():
    c, s = curated(CURATED_C), curated(CURATED_S)
    lines, services = [], 0
    for directory in sorted(os.listdir(MODELS)):
        folder = os.path.join(MODELS, directory)
        if not os.path.isdir(folder):
            continue
        versions = [v for v in sorted(os.listdir(folder))
                    if load(os.path.join(folder, v, "service-2.json"))]
        if not versions:
            continue
        model = load(os.path.join(folder, versions[-1], "service-2.json"))
        service = Service(directory, model, c.get(directory, set()), s.get(directory, set()))
        own = service.lines()
        missing = (c.get(directory, set()) | s.get(directory, set())) - service.used
        assert not missing, (directory, missing)
        services += bool(own)
        lines += own
    header = f"# Made by generate_sensitive.py from botocore {botocore.__version__}; {services} services."
    with open(OUT, "w") as file:
        file.write("\n".join([header, *lines]) + "\n")
    print(header, len(lines), "lines")


if __name__ == "__main__":
    main()
