// TLS over a connection to PostgreSQL. It is started here and not by postgres.js, which takes a server without TLS for
// one that closes the connection, and `allow` for `require`.
//
// Source: https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL

import { isIP, type Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";

import type { Tls } from "./tls-settings.ts";

/** Length 8, code 80877103. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** The server and the URL do not agree on TLS: retrying is useless. The message says what to do. */
export class TlsError extends Error {
  override readonly name = "TlsError";
  readonly code = "TLS";
}

/** Returns the socket to continue with. Rejects with TlsError, or with the network's error. `host`: as in the URL. */
export async function secure(socket: Socket, tls: Tls, host: string): Promise<Socket> {
  if (!tls.isDirect && !(await isOffered(socket))) {
    if (tls.isOptional) return socket;
    throw new TlsError(
      "the server has no TLS, which sslmode asks for. Write sslmode=prefer or sslmode=disable in the database URL, or set TLS up on the server",
    );
  }
  return handshake(socket, tls, host);
}

function isOffered(socket: Socket): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new TlsError("the server closed the connection when it was asked for TLS"));
    socket.once("error", reject);
    socket.once("close", onClose);
    socket.once("data", (answer: Buffer) => {
      socket.off("error", reject);
      socket.off("close", onClose);
      // further bytes are not encrypted, and an attacker may have put them there
      if (answer.length === 1 && (answer[0] === YES || answer[0] === NO)) resolve(answer[0] === YES);
      else reject(new TlsError("what answers there is no PostgreSQL server"));
    });
    socket.write(SSL_REQUEST);
  });
}

const YES = "S".charCodeAt(0);
const NO = "N".charCodeAt(0);

function handshake(
  socket: Socket,
  { checks, ca, cert, key, passphrase, isDirect }: Tls,
  host: string,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const secured = connect({
      socket,
      rejectUnauthorized: checks !== "nothing",
      ...(isIP(host) === 0 && { servername: host }),
      ...(checks === "signer" && { checkServerIdentity: () => undefined }),
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(passphrase !== undefined && { passphrase }),
      ...(isDirect && { ALPNProtocols: ["postgresql"] }),
    });
    const onError = (error: Error): void =>
      reject(
        new TlsError(
          `TLS with the server fails (${error.message}). Check sslmode, and the files of sslrootcert, sslcert and sslkey in the database URL`,
          { cause: error },
        ),
      );
    const onClose = (): void => onError(new Error("the connection was closed"));
    secured.once("error", onError);
    secured.once("close", onClose);
    secured.once("secureConnect", () => {
      secured.off("error", onError);
      secured.off("close", onClose);
      resolve(secured);
    });
  });
}
