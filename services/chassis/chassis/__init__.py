"""What every Sanctum service stands on: settings, logs, errors, the server, the database, secrets.

A microservice chassis (https://microservices.io/patterns/microservice-chassis.html): it knows nothing of what a
service is about.
"""
