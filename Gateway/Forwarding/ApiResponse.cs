using System.Text.Json;
using Gateway.Headscale;
using Gateway.Policy;

namespace Gateway.Forwarding;

/// <summary>What a call of a page came to.</summary>
/// <param name="Decision">What was decided, or what else kept it from its answer.</param>
/// <param name="Status">Headscale's status; 0 when it was not asked.</param>
/// <param name="Json">Headscale's answer as far as the person may see it; empty for none.</param>
internal sealed record ApiResponse(Decision Decision, int Status, byte[] Json)
{
    public bool IsDone => Decision.IsAllowed && Status is >= 200 and < 300;

    /// <summary>What Headscale said was wrong, in its own words.</summary>
    public string? Complaint => HeadscaleErrors.TextOf(Json);

    /// <summary>The answer as JSON, which the caller disposes.</summary>
    public JsonDocument Parse() => JsonDocument.Parse(Json);
}
