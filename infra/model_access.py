"""What in Amazon Bedrock the environment's model is. Imports no CDK."""

from infra.settings import Environment

INVOKE = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")


def model_resources(environment: Environment) -> list[str]:
    """ARNs that ``INVOKE`` has to be allowed on.

    An inference profile needs itself and the model in each region it may send a request to (Bedrock user guide,
    "Prerequisites for inference profiles").
    """
    model, region = environment.model, environment.account.region
    if not model.destination_regions:
        return [f"arn:aws:bedrock:{region}::foundation-model/{model.name}"]
    _, _, plain = model.name.partition(".")
    return [
        f"arn:aws:bedrock:{region}:{environment.account.id}:inference-profile/{model.name}",
        *(f"arn:aws:bedrock:{r}::foundation-model/{plain}" for r in model.destination_regions),
    ]
