// Package sts gets the tokens that open the services of Serviceplatformen:
// a SAML token from the Security Token Service (Fælleskommunal
// Adgangsstyring for systemer), and with it an access token.
//
// The order of things for one call of a service:
//
//  1. Source.Access looks for an access token of the authority (CVR) and the
//     service (entity id). One that is valid for another minute is given out.
//  2. Otherwise Source.SAML looks for a SAML token of the same pair, valid for
//     another 15 minutes, and else asks the STS for one: POST
//     /runtime/api/rest/wstrust/v1/issue over mutual TLS (issueRequest).
//  3. POST saml-token=… to /service/AccessTokenService_1/token over mutual TLS
//     gives the access token (Holder-of-key: it is good only on connections
//     that present the same certificate).
//  4. The caller sends Access.Authorization. When the service answers 401 the
//     caller calls Source.Invalidate with the token that was refused, and
//     begins at 1. Many callers with the same refused token renew it once.
//
// However many callers ask at the same time, one request is under way for each
// token. It does not belong to any of them: a caller who goes away does not
// take it with him.
//
// Not covered: the signed SOAP issue (WS-Trust, SF1514).
package sts
