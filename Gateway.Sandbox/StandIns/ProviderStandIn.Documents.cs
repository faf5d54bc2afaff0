using System.Text.Json.Nodes;

namespace Gateway.Sandbox.StandIns;

/// <summary>What the provider publishes about itself.</summary>
internal sealed partial class ProviderStandIn
{
    private JsonObject Discovery()
    {
        var document = new JsonObject
        {
            ["issuer"] = Issuer,
            ["authorization_endpoint"] = Issuer + "/authorize",
            ["token_endpoint"] = Issuer + "/token",
            ["userinfo_endpoint"] = Issuer + "/userinfo",
            ["end_session_endpoint"] = Issuer + "/end-session",
            ["jwks_uri"] = Issuer + "/jwks",
            ["authorization_response_iss_parameter_supported"] = true,
            ["response_types_supported"] = new JsonArray("code"),
            ["subject_types_supported"] = new JsonArray("public"),
            ["id_token_signing_alg_values_supported"] = new JsonArray("RS256"),
        };
        if (RequiresPushedRequests)
        {
            document["pushed_authorization_request_endpoint"] = Issuer + "/par";
            document["require_pushed_authorization_requests"] = true;
        }

        Misbehaviour.Discovery?.Invoke(document);
        return document;
    }

    private JsonObject Keys()
    {
        KeyFetches++;
        var parameters = _key.ExportParameters(false);
        var keys = new JsonObject
        {
            ["keys"] = new JsonArray(new JsonObject
            {
                ["kty"] = "RSA",
                ["kid"] = _keyId,
                ["use"] = "sig",
                ["alg"] = "RS256",
                ["n"] = Base64Url(parameters.Modulus!),
                ["e"] = Base64Url(parameters.Exponent!),
            }),
        };
        Misbehaviour.Keys?.Invoke(keys);
        return keys;
    }
}
