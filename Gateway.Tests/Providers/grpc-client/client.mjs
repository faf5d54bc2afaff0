// Makes gRPC calls with grpc-js: one JSON line in, one out.
// in:  {"method": "ListNodes", "message": base64, "metadata": {name: value}, "deadline": ms}
// out: {"code": number, "message": text, "answer": base64 or null}
import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';
import grpc from '@grpc/grpc-js';

const [address, authority, name = 'localhost'] = process.argv.slice(2);
const credentials = authority
  ? grpc.credentials.createSsl(readFileSync(authority))
  : grpc.credentials.createInsecure();
const client = new grpc.Client(address, credentials, { 'grpc.ssl_target_name_override': name, 'grpc.default_authority': name });
const plain = bytes => bytes;

const lines = createInterface({ input: process.stdin });
lines.on('line', line => {
  const call = JSON.parse(line);
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(call.metadata)) {
    metadata.set(name, value);
  }
  client.makeUnaryRequest(
    `/${call.service ?? 'headscale.v1.HeadscaleService'}/${call.method}`, plain, plain, Buffer.from(call.message, 'base64'), metadata,
    call.deadline ? { deadline: Date.now() + call.deadline } : {},
    (error, answer) => console.log(JSON.stringify({
      code: error?.code ?? 0,
      message: error?.details ?? '',
      answer: answer?.toString('base64') ?? null,
    })));
});
lines.on('close', () => client.close());
