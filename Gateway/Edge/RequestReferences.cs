namespace Gateway.Edge;

/// <summary>The references of what one request does: the audit tells the outcome of each by its own.</summary>
internal static class RequestReferences
{
    private static readonly object _count = new();

    /// <summary>The request's own reference for the first, that with a number for the others.</summary>
    public static string Next(HttpContext context)
    {
        var (id, number) = (RequestContext.Of(context).RequestId, context.Items[_count] is int before ? before + 1 : 1);
        context.Items[_count] = number;
        return number == 1 ? id : $"{id}-{number}";
    }
}
