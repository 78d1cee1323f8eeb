// s3.mjs BUCKET SIZE: uploads SIZE bytes as a buffer and as a stream of unknown hash, reads
// both back; prints {sent, fetched}, hashes in hex (fetched is null when the two differ).
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";

const [bucket, size] = process.argv.slice(2);
const data = Buffer.alloc(Number(size), "0123456789abcdef~");
const hash = (bytes) => createHash("sha256").update(bytes).digest("hex");
const client = new S3Client({ forcePathStyle: true });

function* slices() {
  for (let at = 0; at < data.length; at += 65000) yield data.subarray(at, at + 65000);
}

async function roundTrip(key, body) {
  const where = { Bucket: bucket, Key: key };
  await client.send(new PutObjectCommand({ ...where, Body: body, ContentLength: data.length }));
  const answer = await client.send(new GetObjectCommand(where));
  return hash(Buffer.from(await answer.Body.transformToByteArray()));
}

const fetched = [
  await roundTrip("js-buffer", data),
  await roundTrip("js-stream", Readable.from(slices())),
];
console.log(JSON.stringify({
  sent: hash(data),
  fetched: fetched[0] === fetched[1] ? fetched[0] : null,
}));
