namespace Gateway.Edge;

/// <summary>The page by which Tailscale clients find out whether somebody stands between them and the network.</summary>
internal static class CaptivePortal
{
    public const string Path = "/generate_204";

    /// <summary>Newer clients send a challenge and want it back, in letters and digits only.</summary>
    public static void Answer(HttpContext context)
    {
        if (context.Request.Headers["X-Tailscale-Challenge"] is [{ Length: > 0 and <= 128 } challenge]
            && challenge.All(one => char.IsAsciiLetterOrDigit(one) || one is '.' or '-' or '_'))
        {
            context.Response.Headers["X-Tailscale-Response"] = $"response {challenge}";
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }
}
