"""STS, IAM, Secrets Manager, DynamoDB, SQS and SSM on moto, which checks signatures and
permissions: through sigscope, with lanes, throw-away keys or no signature at all."""

import json
import time

from harness import case, equal, refused
from proxy import find
from servers import REGION, ROLE_ARN, STORED
from sigv4 import Keys

THROW_AWAY = Keys("AKIATHROWAWAYKEYS000", "throw-away-secret-that-nobody-checks-000")
OPERATOR = "arn:aws:iam::123456789012:user/operator"
READER = "arn:aws:iam::123456789012:user/reader"
ASSUMED = "arn:aws:sts::123456789012:assumed-role/deployer/"


def aws(name):
    return case("aws", name)


class World:
    """moto, sigscope before it with `operator` as the active profile, and its lanes."""

    def __init__(self, tools, moto, proxy, secrets):
        self.tools, self.moto, self.proxy, self.secrets = tools, moto, proxy, secrets
        self.operator, self.reader, self.deployer, self.broken = map(
            proxy.lane, ("operator", "reader", "deployer", "broken"))
        secrets.update({"operator's lane": self.operator.secret,
                        "reader's lane": self.reader.secret})

    def client(self, service, keys, region=REGION):
        return self.tools.boto(service, self.proxy.url, keys, region)

    def env(self, keys):
        return self.tools.env(self.proxy.url, keys)

    def curl(self, *words):
        return self.tools.curl("-f", *words)

    def line(self, since, operation, **client):
        """The exchange of an operation after a mark, its `client` as expected.

        A line is written after its reply has left: an earlier one may still come.
        """
        return self.proxy.wait_for(
            lambda l: (l["route"] or {}).get("operation") == operation
            and l["door"] != "internal" and client.items() <= l["client"].items(),
            since, what=f"{operation} with {client}")


def identity_form():
    return "Action=GetCallerIdentity&Version=2011-06-15"


@aws("boto3 with throw-away keys is signed as the active profile")
def throw_away(w):
    mark = w.proxy.mark()
    answer = w.client("sts", THROW_AWAY).get_caller_identity()
    equal(answer["Arn"], OPERATOR, "arn")
    line = w.line(mark, "GetCallerIdentity", signature="unknown-key", lane=None)
    equal(line["door"], "endpoint-url", "door")
    equal(line["identity"]["profile"], "operator", "profile")
    equal((line["route"]["service"], line["route"]["region"]), ("sts", REGION), "route")
    equal(line["route"]["upstream"], w.moto.url, "upstream")
    equal(line["reply"]["from"], "upstream", "from")
    equal(line["fault"], None, "fault")


@aws("boto3 with a lane is signed as its profile and verified on arrival")
def lane(w):
    for keys, arn, name in ((w.operator, OPERATOR, "operator"), (w.reader, READER, "reader")):
        mark = w.proxy.mark()
        equal(w.client("sts", keys).get_caller_identity()["Arn"], arn, "arn")
        line = w.line(mark, "GetCallerIdentity", signature="valid", lane=name)
        equal(line["identity"]["profile"], name, "profile")


@aws("a lane is the same after another start")
def lane_again(w):
    equal(w.proxy.lane("reader").id, w.reader.id, "key id")
    equal(w.reader.id.startswith("SIGSCOPE"), True, "key id begins with SIGSCOPE")
    equal(w.reader.id == w.operator.id, False, "one key for two profiles")


@aws("a wrong client secret shows as invalid although AWS answers 200")
def wrong_secret(w):
    mark = w.proxy.mark()
    wrong = w.reader._replace(secret=w.reader.secret + "x")
    equal(w.client("sts", wrong).get_caller_identity()["Arn"], READER, "arn")
    line = w.line(mark, "GetCallerIdentity", signature="invalid", lane="reader")
    equal(line["reply"]["status"], 200, "status")


@aws("an unsigned curl with Host is signed")
def unsigned_curl(w):
    mark = w.proxy.mark()
    text = w.curl("-H", f"Host: sts.{REGION}.amazonaws.com", "-d", identity_form(), w.proxy.url)
    equal(OPERATOR in text, True, f"operator's arn in {text[:300]}")
    line = w.line(mark, "GetCallerIdentity", signature="none")
    equal(line["door"], "reverse", "door")


@aws("X-Sigscope-Profile chooses, and is stripped")
def profile_header(w):
    mark = w.proxy.mark()
    text = w.curl("-H", f"Host: sts.{REGION}.amazonaws.com", "-H", "X-Sigscope-Profile: reader",
                  "-d", identity_form(), w.proxy.url)
    equal(READER in text, True, f"reader's arn in {text[:300]}")
    line = w.line(mark, "GetCallerIdentity", signature="none")
    sent = {name.lower() for name, _ in line["sent"]["headers"]}
    equal("x-sigscope-profile" in sent, False, "x-sigscope-profile sent")


@aws("curl --aws-sigv4 with a lane is valid")
def signed_curl(w):
    mark = w.proxy.mark()
    text = w.curl("--aws-sigv4", f"aws:amz:{REGION}:sts", "-u",
                  f"{w.reader.id}:{w.reader.secret}", "-d", identity_form(), w.proxy.url)
    equal(READER in text, True, f"reader's arn in {text[:300]}")
    w.line(mark, "GetCallerIdentity", signature="valid", lane="reader")


@aws("a denied call surfaces as AccessDenied")
def denied(w):
    mark = w.proxy.mark()
    answer = refused(lambda: w.client("iam", w.reader).list_users(), "AccessDenied")
    equal(answer["ResponseMetadata"]["HTTPStatusCode"], 403, "status")
    line = w.line(mark, "ListUsers", signature="valid")
    equal(line["reply"]["error"]["code"], "AccessDenied", "error code in the line")
    equal(line["reply"]["from"], "upstream", "from")
    equal("aws-said" in [f["grade"] for f in line["findings"]], True, "an aws-said finding")


@aws("boto3 assumes a role, and its next call is signed as that role")
def assume(w):
    mark = w.proxy.mark()
    given = w.client("sts", w.operator).assume_role(
        RoleArn=ROLE_ARN, RoleSessionName="by-client")["Credentials"]
    keys = Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    assumed = w.line(mark, "AssumeRole", signature="valid", lane="operator")
    w.secrets.update({"assumed role's secret": keys.secret, "assumed role's token": keys.token})
    mark = w.proxy.mark()
    equal(w.client("sts", keys).get_caller_identity()["Arn"], ASSUMED + "by-client", "arn")
    line = w.line(mark, "GetCallerIdentity", signature="valid", lane=None)
    equal(line["identity"]["access_key_id"][-4:], keys.id[-4:], "key that signed")
    equal(f"#{assumed['id']}" in json.dumps(line["identity"]), True,
          f"AssumeRole #{assumed['id']} as origin in {line['identity']}")
    mark = w.proxy.mark()
    w.client("sts", keys._replace(secret=keys.secret[:-1] + "#")).get_caller_identity()
    w.line(mark, "GetCallerIdentity", signature="invalid")


@aws("a profile that assumes a role: its own STS call is an exchange")
def role_profile(w):
    arn = w.client("sts", w.deployer).get_caller_identity()["Arn"]
    equal(arn.startswith(ASSUMED), True, f"arn {arn}")
    line = w.proxy.wait_for(lambda l: l["door"] == "internal", what="door internal")
    equal((line["route"]["service"], line["route"]["operation"]), ("sts", "AssumeRole"), "call")
    calls = [l for l in w.proxy.lines() if l["door"] == "internal"]
    w.client("sts", w.deployer).get_caller_identity()
    time.sleep(0.2)
    after = [l for l in w.proxy.lines() if l["door"] == "internal"]
    equal(len(after), len(calls), "internal calls after a second request")


@aws("a broken profile: a 4xx of the service's shape, and the exchange says why")
def broken(w):
    mark = w.proxy.mark()
    try:
        w.client("sts", w.broken).get_caller_identity()
        raise AssertionError("expected an error")
    except w.client("sts", w.broken).exceptions.ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        message = error.response["Error"]["Message"]
    equal(400 <= status < 500, True, f"status {status} is a 4xx")
    equal(message.startswith("sigscope:"), True, f"message {message!r} begins sigscope:")
    line = w.line(mark, "GetCallerIdentity", lane="broken")
    equal(line["fault"]["kind"], "no-credentials", "fault")
    equal(str(line["id"]) in message, True, f"#{line['id']} in {message!r}")


@aws("a request that names no service is refused with the fix")
def no_route(w):
    mark = w.proxy.mark()
    status = w.tools.curl("-o", "/dev/null", "-w", "%{http_code}", w.proxy.url + "/nowhere")
    equal(status[0], "4", f"first digit of {status}")
    line = w.proxy.wait_for(lambda l: l["received"]["target"] == "/nowhere", mark)
    equal((line["fault"]["kind"], line["reply"]["from"]), ("no-route", "sigscope"), "fault, from")


@aws("the region of the client's scope is kept; IAM's is put right")
def regions(w):
    mark = w.proxy.mark()
    w.client("sts", w.operator, "eu-central-1").get_caller_identity()
    line = w.line(mark, "GetCallerIdentity", signature="valid")
    equal(line["sent"]["signing"]["credential_scope"].split("/")[1:3], ["eu-central-1", "sts"],
          "scope")
    mark = w.proxy.mark()
    w.client("iam", w.operator, "eu-central-1").list_users()
    line = w.line(mark, "ListUsers", signature="valid")
    equal(line["sent"]["signing"]["credential_scope"].split("/")[1:3], ["us-east-1", "iam"],
          "scope")


@aws("boto3: IAM, Secrets Manager, DynamoDB, SQS, SSM")
def boto3_services(w):
    users = w.client("iam", w.operator).list_users()["Users"]
    equal(sorted(u["UserName"] for u in users), ["operator", "reader"], "users")
    secret = w.client("secretsmanager", w.operator).get_secret_value(SecretId="prod/db")
    equal(secret["SecretString"], STORED, "secret")
    table(w.client("dynamodb", w.operator))
    queue(w.client("sqs", w.operator))
    ssm = w.client("ssm", w.operator)
    ssm.put_parameter(Name="/app/key", Value=STORED, Type="SecureString", Overwrite=True)
    got = ssm.get_parameter(Name="/app/key", WithDecryption=True)["Parameter"]["Value"]
    equal(got, STORED, "parameter")


def table(dynamodb):
    dynamodb.create_table(
        TableName="things", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}])
    item = {"id": {"S": "é ü"}, "blob": {"B": bytes(range(256))}}
    dynamodb.put_item(TableName="things", Item=item)
    got = dynamodb.get_item(TableName="things", Key={"id": {"S": "é ü"}})["Item"]
    equal(got, item, "item")


def queue(sqs):
    sqs.create_queue(QueueName="jobs")
    url = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="line 1\nline é")
    got = sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"]
    equal(got, "line 1\nline é", "message")


@aws("AWS CLI: STS, IAM, Secrets Manager, DynamoDB, SQS, SSM")
def cli_services(w):
    env = w.env(w.operator)

    def call(*words):
        return json.loads(w.tools.aws(*words, "--output", "json", env=env) or "{}")

    equal(call("sts", "get-caller-identity")["Arn"], OPERATOR, "arn")
    equal(call("iam", "get-user", "--user-name", "reader")["User"]["Arn"], READER, "user")
    got = call("secretsmanager", "get-secret-value", "--secret-id", "prod/db")
    equal(got["SecretString"], STORED, "secret")
    equal("TableNames" in call("dynamodb", "list-tables"), True, "tables")
    # For SQS the CLI v1 looks at no endpoint variable.
    made = call("sqs", "create-queue", "--queue-name", "cli", "--endpoint-url", w.proxy.url)
    equal(made["QueueUrl"][-4:], "/cli", "queue")
    call("ssm", "put-parameter", "--name", "/cli", "--value", "1", "--type", "String")
    equal(call("ssm", "get-parameter", "--name", "/cli")["Parameter"]["Value"], "1", "parameter")


@aws("AWS CLI: a denied call and the exit code")
def cli_denied(w):
    done = w.tools.attempt(
        [w.tools.bin("python"), w.tools.bin("aws"), "iam", "list-users"], w.env(w.reader))
    equal("AccessDenied" in done.stderr, True, f"AccessDenied in {done.stderr[-300:]!r}")


@aws("JavaScript SDK: STS and Secrets Manager")
def javascript(w):
    mark = w.proxy.mark()
    answer = w.tools.js("calls.mjs", w.env(w.operator))
    equal(answer, {"arn": OPERATOR, "secret": STORED}, "answers")
    line = w.line(mark, "GetSecretValue", signature="valid", lane="operator")
    equal(STORED in json.dumps(line), False, "the stored secret in the line")


def started(w, *words, env=None):
    """sigscope itself, in the same home, with what would win over it set."""
    env = env or {"AWS_PROFILE": "broken", "AWS_SESSION_TOKEN": "stale"}
    return w.tools.attempt([w.proxy.binary, *words], w.proxy.home.env(**env))


def aws_words(w, *words):
    return [str(w.tools.bin("python")), str(w.tools.bin("aws")), *words]


@aws("sigscope run through the proxy that is there")
def run_there(w):
    mark = w.proxy.mark()
    done = started(w, "run", "--listen", w.proxy.address, "--as", "reader", "--",
                   *aws_words(w, "sts", "get-caller-identity"))
    equal(done.returncode, 0, f"exit code with {done.stderr[-400:]!r}")
    equal(find(json.loads(done.stdout), "Arn"), READER, "arn")
    w.line(mark, "GetCallerIdentity", signature="valid", lane="reader")


@aws("sigscope run starts a proxy for the command's life")
def run_alone(w):
    from servers import free_port
    done = started(w, "run", "--listen", f"127.0.0.1:{free_port()}", "--endpoint-url",
                   w.moto.url, "--as", "reader", "--",
                   *aws_words(w, "sts", "get-caller-identity"))
    equal(done.returncode, 0, f"exit code with {done.stderr[-400:]!r}")
    equal(json.loads(done.stdout)["Arn"], READER, "arn")
    equal("GetCallerIdentity" in done.stderr, True, f"the call on stderr {done.stderr[-300:]!r}")


@aws("sigscope run passes the exit status through")
def run_status(w):
    done = started(w, "run", "--listen", w.proxy.address, "--as", "reader", "--",
                   "sh", "-c", "exit 7")
    equal(done.returncode, 7, f"exit code with {done.stderr[-300:]!r}")


@aws('eval "$(sigscope env)" captures a shell')
def env_eval(w):
    mark = w.proxy.mark()
    script = (f'eval "$("{w.proxy.binary}" env --listen {w.proxy.address} --as reader)" && '
              f'exec {" ".join(aws_words(w, "sts", "get-caller-identity"))}')
    env = w.proxy.home.env(AWS_PROFILE="broken", AWS_SESSION_TOKEN="stale")
    done = w.tools.attempt(["bash", "-c", script], env)
    equal(done.returncode, 0, f"exit code with {done.stderr[-400:]!r}")
    equal(json.loads(done.stdout)["Arn"], READER, "arn")
    w.line(mark, "GetCallerIdentity", signature="valid", lane="reader")
