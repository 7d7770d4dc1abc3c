// Package sts gets the tokens that open the services of Serviceplatformen:
// a SAML token from the Security Token Service (Fælleskommunal
// Adgangsstyring for systemer), and with it an access token.
//
// The order of things for one call of a service:
//
//  1. Source.Access looks for an access token of the authority (CVR) and the
//     service (entity id). One that is valid for another minute is given out.
//  2. Otherwise Source.SAML looks for a SAML token of the same pair, valid for
//     another 15 minutes, and else asks the STS for one over mutual TLS, by
//     Config.Mode: POST /runtime/api/rest/wstrust/v1/issue (issueRequest), or
//     the signed WS-Trust 1.3 request of OIO IDWS in SOAP 1.2 (signer.envelope),
//     out of whose answer the assertion is cut as it stands (readIssuedSOAP).
//  3. With Config.TrustedSTS the assertion is verified before anything is done
//     with it (VerifyAssertion).
//  4. POST saml-token=… to /service/AccessTokenService_1/token over mutual TLS
//     gives the access token (Holder-of-key: it is good only on connections
//     that present the same certificate).
//  5. The caller sends Access.Authorization. When the service answers 401 the
//     caller calls Source.Invalidate with the token that was refused, and
//     begins at 1. Many callers with the same refused token renew it once.
//
// However many callers ask at the same time, one request is under way for each
// token. It does not belong to any of them: a caller who goes away does not
// take it with him.
//
// XML that is signed is read by position, never by searching for an id or a
// name, and whatever a second reader could understand differently (a comment, a
// DTD, a second signature, an id that stands twice) is refused.
//
// Not covered: tokens on behalf of a person (OnBehalfOf), encrypted assertions,
// and the signature of the STS's SOAP answer: TLS carries the answer, and the
// assertion has a signature of its own.
package sts
