using System.Text.Json;
using Gateway.Policy;

namespace Gateway.Headscale;

/// <summary>What a filter needs to know of one item of a list, found in one pass over its bytes.</summary>
internal struct ListItem
{
    private bool _hasOwner;
    private bool _isTagged;
    private bool _ownerIsReader;

    /// <summary>Where it begins and ends in the bytes that were read.</summary>
    public Range Bytes { get; private set; }

    /// <summary>Where the value of <see cref="ResponseFilter.Secret"/> stands; null when it has none.</summary>
    public Range? Secret { get; private set; }

    /// <summary>The secret itself, where it is a text.</summary>
    public string? SecretText { get; private set; }

    /// <summary>Whether it belongs to the reader. What is tagged belongs to nobody.</summary>
    public readonly bool IsOwn => _ownerIsReader && !_isTagged;

    /// <summary>Reads one item; false when it has not arrived completely.</summary>
    /// <exception cref="JsonException">It does not have the expected form.</exception>
    public static bool TryRead(ref Utf8JsonReader reader, ResponseFilter filter, out ListItem item)
    {
        item = default;
        if (reader.TokenType is not JsonTokenType.StartObject)
        {
            throw Unexpected(filter);
        }

        var start = (int)reader.TokenStartIndex;
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.EndObject)
            {
                item.Bytes = start..(int)reader.BytesConsumed;
                return true;
            }

            if (!item.TryReadMember(ref reader, filter))
            {
                return false;
            }
        }

        return false;
    }

    private bool TryReadMember(ref Utf8JsonReader reader, ResponseFilter filter)
    {
        if (filter.Secret is { IsEmpty: false } secret && reader.ValueTextEquals(secret))
        {
            return reader.Read() && TryReadSecret(ref reader, filter);
        }

        if (reader.ValueTextEquals(OwnerMember(filter.Kind)))
        {
            return reader.Read() && (_hasOwner ? throw Unexpected(filter) : _hasOwner = true) && TryReadOwner(ref reader, filter);
        }

        var isTags = filter.Kind switch
        {
            Filter.Nodes =>
                reader.ValueTextEquals("tags"u8) || reader.ValueTextEquals("forcedTags"u8) || reader.ValueTextEquals("validTags"u8),
            Filter.Keys => reader.ValueTextEquals("aclTags"u8),
            Filter.TailnetKeys => reader.ValueTextEquals("tags"u8),
            Filter.None or Filter.Node or Filter.Users or Filter.Devices => false,
        };
        return reader.Read() && (isTags ? TryReadTags(ref reader) : reader.TrySkip());
    }

    private bool TryReadSecret(ref Utf8JsonReader reader, ResponseFilter filter)
    {
        if (Secret is not null)
        {
            throw Unexpected(filter);
        }

        var start = (int)reader.TokenStartIndex;
        if (filter.Kind is Filter.Keys or Filter.TailnetKeys)
        {
            SecretText = reader.TokenType is JsonTokenType.String ? reader.GetString() : throw Unexpected(filter);
        }

        if (!reader.TrySkip())
        {
            return false;
        }

        Secret = start..(int)reader.BytesConsumed;
        return true;
    }

    /// <summary>Headscale writes ids as texts; anything else is nobody's.</summary>
    private bool TryReadOwner(ref Utf8JsonReader reader, ResponseFilter filter)
    {
        if (filter.Kind is not (Filter.Nodes or Filter.Keys) || reader.TokenType is not JsonTokenType.StartObject)
        {
            _ownerIsReader = filter.Kind switch
            {
                Filter.None or Filter.Node or Filter.Nodes or Filter.Keys => false,
                Filter.Users or Filter.TailnetKeys => IsReader(ref reader, filter),
                Filter.Devices => reader.TokenType is JsonTokenType.String && filter.OwnNodes.Contains(reader.GetString()!),
            };
            return reader.TrySkip();
        }

        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var isId = reader.ValueTextEquals("id"u8);
            if (!reader.Read())
            {
                return false;
            }

            _ownerIsReader |= isId && IsReader(ref reader, filter);
            if (!reader.TrySkip())
            {
                return false;
            }
        }

        return reader.TokenType is JsonTokenType.EndObject;
    }

    /// <summary>Anything but null and an empty list tags.</summary>
    private bool TryReadTags(ref Utf8JsonReader reader)
    {
        if (reader.TokenType is JsonTokenType.StartArray)
        {
            if (!reader.Read())
            {
                return false;
            }

            _isTagged |= reader.TokenType is not JsonTokenType.EndArray;
            while (reader.TokenType is not JsonTokenType.EndArray)
            {
                if (!reader.TrySkip() || !reader.Read())
                {
                    return false;
                }
            }

            return true;
        }

        _isTagged |= reader.TokenType is not JsonTokenType.Null;
        return reader.TrySkip();
    }

    /// <summary>The member that says, or leads to, whose the item is.</summary>
    private static ReadOnlySpan<byte> OwnerMember(Filter kind) => kind switch
    {
        Filter.None or Filter.Node or Filter.Nodes or Filter.Keys => "user"u8,
        Filter.Users or Filter.Devices => "id"u8,
        Filter.TailnetKeys => "userId"u8,
    };

    private static bool IsReader(ref Utf8JsonReader reader, ResponseFilter filter) =>
        filter.UserId is { } user && reader.TokenType is JsonTokenType.String && reader.ValueTextEquals(user);

    private static JsonException Unexpected(ResponseFilter filter) =>
        new($"an item of Headscale's list of {filter.List} is not understood");
}
