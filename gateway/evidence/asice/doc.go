// Package asice writes and verifies one form of container for evidence: ASiC-E with a XAdES signature, a ZIP file that
// holds files and one signature over all of them.
//
// [Write], in the order it happens:
//
//  1. Every file is read once, for its length, CRC-32 and SHA-256. A file that cannot be read fails here, before the first
//     byte of the container is out.
//  2. The signature is made: an XML signature with a reference for each file and one for the signed properties of XAdES
//     (SigningTime, SigningCertificateV2, DataObjectFormat), RSA-SHA256 (PKCS#1 v1.5), exclusive canonical XML.
//  3. The ZIP file is written: mimetype first, the files in their order, META-INF/manifest.xml, META-INF/signatures.xml,
//     the directory. Every file is stored, not compressed; lengths and CRC-32 stand in its header.
//
// The bytes follow from the files, the certificate and the time alone, so the same input gives the same container.
// Memory does not grow with the files.
//
// [Open] and [Container.Verify] go the other way and accept nothing but what Write writes: the whole file is made up again
// from the names, lengths and digests found in it and compared, so that there is no byte in it which nobody looks at.
// Nothing is unpacked or decompressed, and memory is bounded whatever the file says.
//
// Profile: ASiC-E with XAdES, one signature at level B-B (SigningTime is the signer's own clock; there is no time stamp of
// an authority, no OCSP answer and no CRL in it). [src: ASIC clause 4.4; XADES clauses 5.2.1, 5.2.2, 5.2.4 and 6.3]
//
// Not covered: containers of other programs, which are refused as malformed although they may be good; ASiC-S; CAdES;
// several signatures; ZIP64, so files of 4 GiB and more.
package asice
