"""The CDK application, judged by the files it writes."""
