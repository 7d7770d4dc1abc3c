// Package rabbittest runs a RabbitMQ of a test's own: the broker of
// Beskedfordeler's pull, with TLS, client certificates and SASL EXTERNAL
// (rabbitmq_auth_mechanism_ssl), on free ports of 127.0.0.1 and in a private
// folder. Nothing of the machine's own RabbitMQ is touched.
//
// In the order it happens: [Start] writes certificates, rabbitmq.conf and the
// definitions (users by certificate name, vhost BF), starts an epmd and a node,
// and returns when the node takes connections, after five to ten seconds. A
// test makes queues ([Node.Declare]), fills them ([Node.Publish]), looks at
// them ([Node.Depth], [Node.Look]), ends the node politely or not ([Node.Stop],
// [Node.Kill]) and starts it again on its old data ([Node.Start]). [Node.Close]
// ends all of it; so does the end of the test process, on Linux.
//
// What the plugin does not do: it looks at the certificate alone and ignores
// the SASL response, so an assertion is carried but not verified.
package rabbittest
