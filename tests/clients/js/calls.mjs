// calls.mjs: GetCallerIdentity and GetSecretValue; prints {arn, secret}.
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";

const identity = await new STSClient().send(new GetCallerIdentityCommand());
const secret = await new SecretsManagerClient().send(
  new GetSecretValueCommand({ SecretId: "prod/db" }),
);
console.log(JSON.stringify({ arn: identity.Arn, secret: secret.SecretString }));
