// Says what is wrong with an OpenRPC document, by the validator of OpenRPC's makers: node openrpc.mjs FILE
import { readFileSync } from "node:fs";
import schemaUtils from "@open-rpc/schema-utils-js";

const document = JSON.parse(readFileSync(process.argv[2], "utf8"));
const result = schemaUtils.validateOpenRPCDocument(document);
if (result !== true) {
  console.error(result.message);
  process.exit(1);
}
// Every reference is followed and must lead somewhere.
const whole = await schemaUtils.dereferenceDocument(document);
console.log(`${whole.methods.length} methods`);
