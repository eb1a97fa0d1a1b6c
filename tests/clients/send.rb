# Ruby's own mail sender with no options: it begins TLS where that is offered, and checks the certificate.
require "net/smtp"

host, port, to, subject, secret = ARGV
mail = "To: #{to}\r\nSubject: #{subject}\r\n\r\nhi\r\n"
login = secret ? ["localhost", "admin", secret, :plain] : []
Net::SMTP.start(host, port.to_i, *login) { |smtp| smtp.send_message mail, "ann@a.example", to }
